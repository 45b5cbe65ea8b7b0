//! Who there is: organizations by Zipf, and the people, services and things of each, made up again from their numbers
//! whenever they are needed.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use crate::{
    random::{Random, Zipf},
    vocabulary::{ADJECTIVES, COMPANIES, FIRST_NAMES, FIRST_OCTETS, IPV6_PREFIXES, LAST_NAMES, NOUNS, TEAMS},
};

/// Makes the largest of 1,000 organizations hold a tenth of all events.
const ORGANIZATION_EXPONENT: f64 = 0.92;
const ACTOR_EXPONENT: f64 = 1.05;
const ACTORS: usize = 400;
const THING_EXPONENT: f64 = 0.8;
const THINGS: usize = 2_000;

/// Who acts.
pub(crate) struct Actor {
    pub(crate) actor_type: &'static str,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: Option<String>,
    pub(crate) team: Option<&'static str>,
    /// Where the actor usually comes from.
    pub(crate) address: IpAddr,
    /// Chooses the actor's browser.
    pub(crate) browser: usize,
}

/// The organizations with their people and things.
#[derive(Debug)]
pub(crate) struct Population {
    seed: u64,
    names: Vec<Arc<str>>,
    organizations: Zipf,
    actors: Zipf,
    things: Zipf,
}

impl Population {
    pub(crate) fn new(seed: u64, organizations: usize) -> Self {
        Self::with_exponent(seed, organizations, ORGANIZATION_EXPONENT)
    }

    /// All organizations are as likely as each other.
    pub(crate) fn with_equal_organizations(seed: u64, organizations: usize) -> Self {
        Self::with_exponent(seed, organizations, 0.0)
    }

    fn with_exponent(seed: u64, organizations: usize, exponent: f64) -> Self {
        let count = organizations.max(1);
        Self {
            seed,
            names: (0..count).map(|rank| organization_name(rank).into()).collect(),
            organizations: Zipf::new(count, exponent),
            actors: Zipf::new(ACTORS, ACTOR_EXPONENT),
            things: Zipf::new(THINGS, THING_EXPONENT),
        }
    }

    /// An organization, by its rank.
    pub(crate) fn draw_organization(&self, random: &mut Random) -> usize {
        self.organizations.draw(random)
    }

    /// The name of the organization with this rank.
    pub(crate) fn organization(&self, rank: usize) -> &Arc<str> {
        &self.names[rank]
    }

    /// Somebody of an organization, by number.
    pub(crate) fn draw_actor(&self, random: &mut Random) -> usize {
        self.actors.draw(random)
    }

    /// What is known of somebody. One in twelve is a service.
    pub(crate) fn actor(&self, organization: usize, number: usize) -> Actor {
        let mut random = Random::of_thing(self.seed, ((organization as u64) << 32) | number as u64);
        let address = address(&mut random);
        let browser = random.next_u64() as usize;
        let id = random.below(90_000) + 10_000;
        if number % 12 == 11 {
            return Actor {
                actor_type: "service",
                id: format!("svc_{id}"),
                name: format!("{} worker", random.pick(&NOUNS)),
                email: None,
                team: None,
                address,
                browser,
            };
        }
        let (first, last) = (*random.pick(&FIRST_NAMES), *random.pick(&LAST_NAMES));
        Actor {
            actor_type: "user",
            id: format!("u_{id}"),
            name: format!("{first} {last}"),
            email: random
                .percent(60)
                .then(|| format!("{}.{}@{}.example", ascii(first), ascii(last), self.names[organization])),
            team: random.percent(25).then(|| *random.pick(&TEAMS)),
            address,
            browser,
        }
    }

    /// Something of an organization: its number, and its name (two words and the number).
    pub(crate) fn draw_thing(&self, organization: usize, random: &mut Random) -> (u64, String) {
        let rank = self.things.draw(random) as u64;
        let mut own = Random::of_thing(self.seed ^ 0x7468_696E_6773, ((organization as u64) << 32) | rank);
        let number = own.below(900_000) + 100_000;
        let name = format!("{} {} {}", own.pick(&ADJECTIVES), own.pick(&NOUNS), rank + 1);
        (number, name)
    }
}

/// An address in public use; one in five is IPv6.
pub(crate) fn address(random: &mut Random) -> IpAddr {
    if random.percent(20) {
        let high = u128::from(*random.pick(&IPV6_PREFIXES)) << 96;
        return Ipv6Addr::from_bits(high | (u128::from(random.below(1 << 16)) << 64) | u128::from(random.next_u64()))
            .into();
    }
    let low = random.below(1 << 24) as u32;
    Ipv4Addr::from_bits((u32::from(*random.pick(&FIRST_OCTETS)) << 24) | low).into()
}

fn organization_name(rank: usize) -> String {
    format!("{}-{:03}", COMPANIES[rank % COMPANIES.len()], rank)
}

/// A name as it stands in an e-mail address: small ASCII letters.
fn ascii(name: &str) -> String {
    name.chars()
        .filter_map(|letter| match letter {
            'ë' | 'é' | 'É' => Some('e'),
            'á' => Some('a'),
            'í' => Some('i'),
            'ö' => Some('o'),
            'ü' => Some('u'),
            'š' => Some('s'),
            other => other.is_ascii().then(|| other.to_ascii_lowercase()),
        })
        .collect()
}
