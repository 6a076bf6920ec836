# Leaves out what differs by version: two checks, each with the help below it.
/^.... (feature flags|deprecated)/ {skip = 1; next}
/^                   help:/ && skip {next}
{skip = 0; print}
