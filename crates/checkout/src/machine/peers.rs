//! Other tabs of the same browser with the same order: one tab polls the backend, and the others
//! wait until it reports a change. A tab's message is only a hint.

use super::CheckoutMachine;
use crate::effect::Effect;
use crate::peer_message::PeerMessage;

impl CheckoutMachine {
    pub(super) fn received_from_peer(&mut self, now_ms: u64, rank: u64, message: PeerMessage) {
        if self.last_answer.is_none() {
            // Before the first answer, this tab knows too little to wait for another.
            return;
        }
        match message {
            PeerMessage::Polling(for_ms) => self.poll.peer_polls(now_ms, rank, for_ms),
            PeerMessage::Stopped => self.poll.peer_stopped(now_ms, rank),
            PeerMessage::Changed => self.poll.peer_changed(now_ms),
        }
    }

    pub(super) fn notify_peers(&mut self, message: PeerMessage) {
        self.effects.push(Effect::NotifyPeers(message));
    }
}
