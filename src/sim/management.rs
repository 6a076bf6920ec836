//! The management API's acts, each to its file (§9). Acts as the runner: rights are not asked for.

use crate::broker::{ConnectionId, Management, Refusal, Reply, RequestId, What, code};
use crate::model::{Name, Parameter, QueueName};
use crate::sim::broker::Sim;
use crate::sim::state::queue::QueueContents;
use crate::sim::state::refusal::{connection_error, http_error, management_not_simulated};

impl Sim {
    pub(crate) fn manage(&mut self, request: RequestId, act: Management) {
        let reply = match act {
            Management::PutVhost(vhost) => self.put_vhost(&vhost),
            Management::ReplaceVhost(vhost) => self.replace_vhost(&vhost),
            Management::DeleteVhost { vhost } => self.delete_vhost(&vhost),
            Management::PutUser(user) => Ok(self.put_user(&user)),
            Management::DeleteUser { user } => self.delete_user(&user),
            Management::PutPermission(permission) => self.put_permission(&permission),
            Management::ClearPermission { user, vhost } => self.clear_permission(&user, &vhost),
            Management::PutTopicPermission(permission) => self.put_topic_permission(&permission),
            Management::ClearTopicPermission { user, vhost, exchange } => {
                self.clear_topic_permission(&user, &vhost, &exchange)
            }
            Management::PutPolicy { policy, operator } => self.put_policy(*policy, operator),
            Management::ClearPolicy { vhost, name, operator } => self.clear_policy(&vhost, &name, operator),
            Management::PutParameter(parameter) => self.put_parameter(&parameter),
            Management::ClearParameter { vhost, .. } => self.clear_parameter(&vhost),
            Management::PutGlobalParameter { .. } | Management::ClearGlobalParameter { .. } => Ok(Reply::Done),
            Management::PutVhostLimit { vhost, name, value } => self.put_vhost_limit(&vhost, &name, value),
            Management::ClearVhostLimit { vhost, name } => self.clear_vhost_limit(&vhost, &name),
            Management::PutUserLimit { user, name, value } => self.put_user_limit(&user, &name, value),
            Management::ClearUserLimit { user, name } => self.clear_user_limit(&user, &name),
            Management::CloseConnection { connection } => self.close_by_management(connection),
            Management::DescribeQueue { queue } => self.describe_queue(&queue),
            Management::Restart { down_for } => return self.restart(request, down_for),
            Management::StopNode { .. } | Management::StartNodes => Err(http_error(501, "a cluster is not simulated")),
        };
        self.answer(request, reply);
    }

    /// Closes a connection by force (CO-27).
    fn close_by_management(&mut self, connection: ConnectionId) -> Result<Reply, Refusal> {
        if !self.connections.contains_key(&connection) {
            return Err(http_error(404, "Not Found"));
        }
        let cause = connection_error(code::CONNECTION_FORCED, "Closed via management plugin");
        self.tell(None, None, "CO-27", || What::ConnectionEnded { why: "closed via management".into() });
        self.close_connection(connection, cause);
        Ok(Reply::Done)
    }

    /// Says of which type a queue is, and what waits at an at-least-once queue (MG-6, MG-15, DL-30).
    fn describe_queue(&self, queue: &QueueName) -> Result<Reply, Refusal> {
        self.managed_vhost(&queue.vhost)?;
        let known = self.queues.iter().find(|(_, known)| known.name == *queue);
        let (_, known) = known.ok_or_else(|| http_error(404, "Not Found"))?;
        let dead_lettering = match &known.contents {
            QueueContents::Classic(_) | QueueContents::Stream(_) => 0,
            QueueContents::Quorum(quorum) => quorum.backlog.counted().0,
        };
        Ok(Reply::Described { kind: Some(known.kind), dead_lettering })
    }

    /// There are no parameters to clear.
    fn clear_parameter(&self, vhost: &Name) -> Result<Reply, Refusal> {
        self.managed_vhost(vhost)?;
        Err(http_error(404, "Not Found"))
    }

    /// Takes no parameters: what they would start is not simulated.
    fn put_parameter(&self, parameter: &Parameter) -> Result<Reply, Refusal> {
        self.managed_vhost(&parameter.vhost)?;
        Err(management_not_simulated(&format!("{} parameters", parameter.component)))
    }
}
