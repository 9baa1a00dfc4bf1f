//! Other tabs of the same browser at the same order: one of them asks the backend, the others
//! wait for it to say that there is something new. What a tab says is a hint and no more.

use super::CheckoutMachine;
use crate::effect::Effect;
use crate::event::PeerWord;

impl CheckoutMachine {
    pub(super) fn peer_spoke(&mut self, now_ms: u64, rank: u64, word: PeerWord) {
        if self.known.is_none() {
            // Until the first answer, this tab knows too little to wait for another.
            return;
        }
        match word {
            PeerWord::Asks(for_ms) => self.poll.peer_asks(now_ms, rank, for_ms),
            PeerWord::Stopped => self.poll.peer_stopped(now_ms, rank),
            PeerWord::News => self.poll.peer_hints(now_ms),
        }
    }

    pub(super) fn tell_peers(&mut self, word: PeerWord) {
        self.effects.push(Effect::TellPeers(word));
    }
}
