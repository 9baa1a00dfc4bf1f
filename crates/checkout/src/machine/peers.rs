//! Other tabs of the same browser at the same order: one of them asks the backend, and all of
//! them hear the answer. What a tab says is no more than what the backend said to it.

use super::CheckoutMachine;
use crate::event::PeerWord;
use crate::poll::Reading;

impl CheckoutMachine {
    pub(super) fn peer_spoke(&mut self, now_ms: u64, rank: u64, word: PeerWord) {
        // Until the first answer, this tab knows too little to rely on another.
        let Some(known) = &self.known else {
            return;
        };
        match word {
            PeerWord::Asks(for_ms) => {
                let dead = self.poll.peer_asks(now_ms, rank, for_ms);
                self.abort(dead);
            }
            PeerWord::Stopped => self.poll.peer_stopped(rank),
            PeerWord::Answered(answer) => {
                if answer.order_no != known.order.order_no {
                    return;
                }
                self.poll.peer_answered(now_ms, rank, answer.poll_after_ms);
                if self.absorb(now_ms, &answer) {
                    self.read(now_ms, Reading::of_peer(now_ms), &answer);
                }
            }
        }
    }
}
