//! The versions of CWMP and which one is offered to the ACS (TR-069a6 3.7.4, A.6).

use crate::soap::rpc::Namespace;

/// A version of CWMP.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Version {
    /// CWMP 1.0 (TR-069 Issue 1)
    V1_0,
    /// CWMP 1.1 (Amendment 1)
    V1_1,
    /// CWMP 1.2 (Amendment 2)
    V1_2,
    /// CWMP 1.3 (Amendment 4)
    V1_3,
    /// CWMP 1.4 (Amendment 5)
    V1_4,
}

impl Version {
    /// All versions, the lowest first.
    pub const ALL: [Self; 5] = [Self::V1_0, Self::V1_1, Self::V1_2, Self::V1_3, Self::V1_4];

    /// Reads `1.0` to `1.4`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.text() == text.trim())
    }

    /// `1.0` to `1.4`
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::V1_0 => "1.0",
            Self::V1_1 => "1.1",
            Self::V1_2 => "1.2",
            Self::V1_3 => "1.3",
            Self::V1_4 => "1.4",
        }
    }

    /// The namespace that messages of this version are written in (CONFORMANCE V-01).
    #[must_use]
    pub fn namespace(self) -> Namespace {
        match self {
            Self::V1_0 => Namespace::Cwmp10,
            Self::V1_1 => Namespace::Cwmp11,
            Self::V1_2 | Self::V1_3 | Self::V1_4 => Namespace::Cwmp12,
        }
    }

    /// The version of an ACS that names none but its namespace (CONFORMANCE V-03).
    #[must_use]
    pub fn of_namespace(namespace: Namespace) -> Self {
        Self::parse(namespace.version()).unwrap_or(Self::V1_0)
    }

    fn lower(self) -> Option<Self> {
        Self::ALL.into_iter().rev().find(|version| *version < self)
    }
}

/// Which version the next Inform is written in.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    highest: Version,
    current: Version,
}

impl Offer {
    /// Begins with the highest version, as after a boot.
    #[must_use]
    pub fn new(highest: Version) -> Self {
        Self { highest, current: highest }
    }

    /// The version for the next Inform.
    #[must_use]
    pub fn current(self) -> Version {
        self.current
    }

    /// The ACS refused the version: the next lower one is offered. When it refused them all the version was not the reason, and the highest is
    /// offered again (CONFORMANCE V-05).
    pub fn refused(&mut self) {
        self.current = self.current.lower().unwrap_or(self.highest);
    }

    /// Another ACS is responsible now (CONFORMANCE V-05).
    pub fn acs_changed(&mut self) {
        self.current = self.highest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soap::version::VERSIONS;

    #[test]
    fn v01_three_namespaces_carry_five_versions() {
        let namespaces = Version::ALL.map(Version::namespace);
        let expected = [Namespace::Cwmp10, Namespace::Cwmp11, Namespace::Cwmp12, Namespace::Cwmp12, Namespace::Cwmp12];
        assert_eq!(namespaces, expected);
    }

    #[test]
    fn v03_versions_are_read_from_texts_and_namespaces() {
        assert_eq!(VERSIONS.map(|text| Version::parse(text).unwrap()), Version::ALL);
        assert_eq!(VERSIONS, Version::ALL.map(Version::text));
        assert_eq!(Namespace::ALL.map(Version::of_namespace), Version::ALL);
        assert_eq!(Version::parse("1.5"), None);
        assert_eq!(Version::parse(" 1.2 "), Some(Version::V1_2));
    }

    #[test]
    fn v05_each_refusal_lowers_the_offer_by_one() {
        let mut offer = Offer::new(Version::V1_4);
        let mut offered = Vec::new();
        for _ in 0..6 {
            offered.push(offer.current().text());
            offer.refused();
        }
        assert_eq!(offered, ["1.4", "1.3", "1.2", "1.1", "1.0", "1.4"]);
        offer.acs_changed();
        assert_eq!(offer.current(), Version::V1_4);
    }
}
