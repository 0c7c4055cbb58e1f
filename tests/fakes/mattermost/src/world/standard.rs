//! The standard world: four people, two teams, a few channels.

use super::World;
use crate::model::ChannelKind;

/// Makes the standard world.
///
/// `acme` holds sysadmin, alice, bob and mallory with the public channels `town-square` and
/// `alerts` (mallory is not in `alerts`) and the private channel `incidents` (sysadmin, alice,
/// bob). `globex` holds sysadmin and mallory with the public channel `ops`.
pub(crate) fn build(world: &mut World, now: i64) {
    let fresh = "the world is empty before";
    let sysadmin = world.add_user("sysadmin", true, now).expect(fresh).id;
    let alice = world.add_user("alice", false, now).expect(fresh).id;
    let bob = world.add_user("bob", false, now).expect(fresh).id;
    let mallory = world.add_user("mallory", false, now).expect(fresh).id;
    let acme = world.add_team("acme", now).expect(fresh).id;
    let globex = world.add_team("globex", now).expect(fresh).id;
    let mut place = |team: &str, name: &str, kind, members: &[&String]| {
        let channel = world.add_channel(team, name, kind, now).expect(fresh);
        for member in members {
            world.join_team(team, member);
            world.join_channel(&channel.id, member);
        }
    };
    let public = ChannelKind::Public;
    place(&acme, "town-square", public, &[&sysadmin, &alice, &bob, &mallory]);
    place(&acme, "alerts", public, &[&sysadmin, &alice, &bob]);
    place(&acme, "incidents", ChannelKind::Private, &[&sysadmin, &alice, &bob]);
    place(&globex, "ops", public, &[&sysadmin, &mallory]);
}
