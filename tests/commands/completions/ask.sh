# Asks for the completions of the last word, as bash does.
export RABBITMQADMIN_CONFIG_FILE_PATH=nodes.conf
RMQPLAY_COMPLETE=bash _CLAP_IFS=$'\n' _CLAP_COMPLETE_INDEX=$# rmqplay -- rmqplay "$@"
