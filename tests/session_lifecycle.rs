//! Sessions from their first message to their last (CONFORMANCE sections 6, 7 and parts of 2 and 5), against the program itself.

mod common;

use common::acs::{Acs, codes};
use common::agent::Agent;

#[test]
fn l01_l06_b02_first_session_of_a_router() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let mut session = acs.session();
    assert_eq!(session.events(), ["0 BOOTSTRAP", "1 BOOT"]);
    let empty = session.inform_ok();
    assert!(empty.is_empty());
    let inform = session.end();
    assert_eq!(codes(&inform), ["0 BOOTSTRAP", "1 BOOT"]);
    let status = agent.wait_idle();
    assert_eq!(status["last_session"]["complete"], true);
    assert_eq!(status["retry_count"], 0);
    assert_eq!(acs.informs().len(), 1);
}
