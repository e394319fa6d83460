//! Maps and sets that are sorted vectors, for their small code: a `BTreeMap` is made anew for each kind of key and value, 3 to 8 KB each on a
//! router, where the keys here are found, moved and dropped in one place whatever they lead to.
//!
//! What comes in ascending order, or all at once from an iterator, costs what it costs a tree; but a key put into the midst of others moves all
//! that come after it. What grows to thousands of keys one by one and in no order is better off in a `BTreeMap`.

use std::borrow::Borrow;
use std::fmt;
use std::iter::Zip;
use std::marker::PhantomData;
use std::mem;
use std::ops::Deref;
use std::{slice, vec};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Serialize, Serializer};

/// Keys in ascending order, each once. Everything that a slice can be read by is there too.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, serde::Deserialize)]
#[serde(transparent, bound(deserialize = "K: Ord + Deserialize<'de>"))]
pub struct Set<K>(#[serde(deserialize_with = "in_order")] Vec<K>);

impl<K> Set<K> {
    /// No keys.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Where a key is, or where it would have to be.
    #[inline(never)]
    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        // What comes in order goes to the end without a search.
        match self.0.last() {
            Some(last) if last.borrow() >= key => self.0.binary_search_by(|other| other.borrow().cmp(key)),
            _ => Err(self.0.len()),
        }
    }

    /// Whether a key is there.
    pub fn contains<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.find(key).is_ok()
    }

    /// Keeps only what it is said of.
    pub fn retain(&mut self, keep: impl FnMut(&K) -> bool) {
        self.0.retain(keep);
    }
}

impl<K: Ord> Set<K> {
    /// Adds a key. Says whether it was missing.
    pub fn insert(&mut self, key: K) -> bool {
        match self.find(&key) {
            Ok(_) => false,
            Err(place) => {
                self.0.insert(place, key);
                true
            }
        }
    }
}

impl<K> Default for Set<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> Deref for Set<K> {
    type Target = [K];

    fn deref(&self) -> &[K] {
        &self.0
    }
}

impl<K: Ord> Extend<K> for Set<K> {
    fn extend<I: IntoIterator<Item = K>>(&mut self, keys: I) {
        self.0.extend(keys);
        sort(&mut self.0);
    }
}

impl<K: Ord> FromIterator<K> for Set<K> {
    fn from_iter<I: IntoIterator<Item = K>>(keys: I) -> Self {
        let mut all = Self::new();
        all.extend(keys);
        all
    }
}

impl<K> IntoIterator for Set<K> {
    type Item = K;
    type IntoIter = vec::IntoIter<K>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, K> IntoIterator for &'a Set<K> {
    type Item = &'a K;
    type IntoIter = slice::Iter<'a, K>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

fn is_in_order<K: Ord>(keys: &[K]) -> bool {
    keys.is_sorted_by(|key, next| key < next)
}

fn sort<K: Ord>(keys: &mut Vec<K>) {
    if !is_in_order(keys) {
        keys.sort_unstable();
        keys.dedup();
    }
}

fn in_order<'de, K: Ord + Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Vec<K>, D::Error> {
    let mut keys = Vec::deserialize(from)?;
    sort(&mut keys);
    Ok(keys)
}

/// Values by their keys, in the ascending order of these.
#[derive(Clone, PartialEq, Eq)]
pub struct Map<K, V> {
    keys: Set<K>,
    /// In the order of the keys. They are no pairs, so that the code for the keys does not depend on the values.
    values: Vec<V>,
}

impl<K, V> Map<K, V> {
    /// Nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { keys: Set::new(), values: Vec::new() }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether a key is there.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.keys.contains(key)
    }

    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.values.get(self.keys.find(key).ok()?)
    }

    /// The value of a key, to be changed.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.values.get_mut(self.keys.find(key).ok()?)
    }

    /// Takes a key away. Tells the value that it had.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let place = self.keys.find(key).ok()?;
        self.keys.0.remove(place);
        Some(self.values.remove(place))
    }

    /// Takes everything away.
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// Keeps only so many: those with the least keys.
    pub fn truncate(&mut self, most: usize) {
        self.keys.0.truncate(most);
        self.values.truncate(most);
    }

    /// Keeps only what it is said of.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        let kept: Vec<bool> = self.keys.iter().zip(&mut self.values).map(|(key, value)| keep(key, value)).collect();
        sift(&mut self.keys.0, &kept);
        sift(&mut self.values, &kept);
    }

    /// All keys with their values.
    pub fn iter(&self) -> Zip<slice::Iter<'_, K>, slice::Iter<'_, V>> {
        self.keys.iter().zip(&self.values)
    }

    /// All keys.
    #[must_use]
    pub fn keys(&self) -> &Set<K> {
        &self.keys
    }

    /// All values, in the order of their keys.
    #[must_use]
    pub fn values(&self) -> &[V] {
        &self.values
    }

    /// All values, in the order of their keys, to be changed.
    pub fn values_mut(&mut self) -> &mut [V] {
        &mut self.values
    }

    /// All keys, in their order.
    #[must_use]
    pub fn into_keys(self) -> Vec<K> {
        self.keys.0
    }

    /// All values, in the order of their keys.
    #[must_use]
    pub fn into_values(self) -> Vec<V> {
        self.values
    }
}

impl<K: Ord, V> Map<K, V> {
    /// Sets the value of a key. Tells the one that it had.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.keys.find(&key) {
            Ok(place) => self.values.get_mut(place).map(|former| mem::replace(former, value)),
            Err(place) => {
                self.keys.0.insert(place, key);
                self.values.insert(place, value);
                None
            }
        }
    }

    /// The value of a key, which is made where it is missing.
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let place = match self.keys.find(&key) {
            Ok(place) => place,
            Err(place) => {
                self.keys.0.insert(place, key);
                self.values.insert(place, make());
                place
            }
        };
        #[expect(clippy::indexing_slicing, reason = "where there was none, one was just put")]
        &mut self.values[place]
    }

    /// The value of a key, which is an empty one where it is missing.
    pub fn get_or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        self.get_or_insert_with(key, V::default)
    }

    /// Brings what was added at the end into its order. Of those with the same key the last one counts.
    fn sort(&mut self) {
        if let Some(order) = order(&self.keys) {
            self.keys.0 = picked(mem::take(&mut self.keys.0), &order);
            self.values = picked(mem::take(&mut self.values), &order);
        }
    }
}

/// The places of the keys in the order of the keys, of those that come twice the last one; `None` where they are in order.
fn order<K: Ord>(keys: &[K]) -> Option<Vec<usize>> {
    if is_in_order(keys) {
        return None;
    }
    let mut order: Vec<(usize, &K)> = keys.iter().enumerate().collect();
    order.sort_unstable_by(|(place, key), (place2, key2)| key.cmp(key2).then(place2.cmp(place)));
    order.dedup_by(|(_, key), (_, before)| key == before);
    Some(order.into_iter().map(|(place, _)| place).collect())
}

fn picked<T>(items: Vec<T>, places: &[usize]) -> Vec<T> {
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    places.iter().filter_map(|place| items.get_mut(*place)?.take()).collect()
}

fn sift<T>(items: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    items.retain(|_| kept.next() == Some(&true));
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Map<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<K: Ord, V> Extend<(K, V)> for Map<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, pairs: I) {
        for (key, value) in pairs {
            self.keys.0.push(key);
            self.values.push(value);
        }
        self.sort();
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Map<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut all = Self::new();
        all.extend(pairs);
        all
    }
}

impl<K, V> IntoIterator for Map<K, V> {
    type Item = (K, V);
    type IntoIter = Zip<vec::IntoIter<K>, vec::IntoIter<V>>;

    fn into_iter(self) -> Self::IntoIter {
        self.keys.into_iter().zip(self.values)
    }
}

impl<'a, K, V> IntoIterator for &'a Map<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Zip<slice::Iter<'a, K>, slice::Iter<'a, V>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<K: Serialize, V: Serialize> Serialize for Map<K, V> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self)
    }
}

impl<'de, K: Ord + Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for Map<K, V> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Members(PhantomData))
    }
}

struct Members<K, V>(PhantomData<Map<K, V>>);

impl<'de, K: Ord + Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for Members<K, V> {
    type Value = Map<K, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Map<K, V>, A::Error> {
        let mut all = Map::new();
        while let Some((key, value)) = members.next_entry()? {
            all.keys.0.push(key);
            all.values.push(value);
        }
        all.sort();
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::json;

    fn pairs() -> impl Strategy<Value = Vec<(u32, u16)>> {
        vec((0_u32..32, any::<u16>()), 0..48)
    }

    /// It has what the tree has, in the same order, and finds it.
    fn same(map: &Map<u32, u16>, tree: &BTreeMap<u32, u16>) {
        assert!(map.iter().eq(tree), "{map:?} {tree:?}");
        assert!(map.keys().iter().eq(tree.keys()) && map.values().iter().eq(tree.values()));
        assert_eq!((map.len(), map.is_empty()), (tree.len(), tree.is_empty()));
        for key in 0..32 {
            assert_eq!((map.get(&key), map.contains_key(&key)), (tree.get(&key), tree.contains_key(&key)));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn a_map_does_what_a_tree_does(made in pairs(), steps in vec((0_u8..7, 0_u32..32, any::<u16>()), 0..64), more in pairs()) {
            let mut map: Map<u32, u16> = made.iter().copied().collect();
            let mut tree: BTreeMap<u32, u16> = made.into_iter().collect();
            same(&map, &tree);
            for (step, key, value) in steps {
                match step {
                    0 => prop_assert_eq!(map.remove(&key), tree.remove(&key)),
                    1 => *map.get_or_insert_with(key, || value) ^= 1,
                    2 => *map.get_or_default(key) ^= value,
                    3 => map.retain(|key, value| { *value ^= 1; *key != 3 && *value % 5 != 0 }),
                    _ => prop_assert_eq!(map.insert(key, value), tree.insert(key, value)),
                }
                match step {
                    1 => *tree.entry(key).or_insert_with(|| value) ^= 1,
                    2 => *tree.entry(key).or_default() ^= value,
                    3 => tree.retain(|key, value| { *value ^= 1; *key != 3 && *value % 5 != 0 }),
                    _ => {}
                }
                prop_assert_eq!(map.get_mut(&key), tree.get_mut(&key));
            }
            same(&map, &tree);
            map.extend(more.iter().copied());
            tree.extend(more);
            same(&map, &tree);
            prop_assert_eq!(json::bytes(&map), json::bytes(&tree));
            prop_assert_eq!(&json::read::<Map<u32, u16>>(&json::bytes(&map)).unwrap(), &map);
            prop_assert!(map.clone().into_iter().eq(tree.clone()));
            map.truncate(3);
            same(&map, &tree.into_iter().take(3).collect());
            map.clear();
            same(&map, &BTreeMap::new());
        }

        #[test]
        fn a_set_does_what_a_tree_does(made in vec(0_u8..32, 0..48), one_by_one in vec(0_u8..32, 0..16), more in vec(0_u8..32, 0..16)) {
            let (mut set, mut tree): (Set<u8>, BTreeSet<u8>) = (made.iter().copied().collect(), made.into_iter().collect());
            for key in one_by_one {
                prop_assert_eq!(set.insert(key), tree.insert(key));
            }
            set.extend(more.iter().copied());
            tree.extend(more);
            prop_assert!(set.iter().eq(&tree) && (0..32).all(|key| set.contains(&key) == tree.contains(&key)));
            prop_assert_eq!(json::bytes(&set), json::bytes(&tree));
            prop_assert_eq!(json::read::<Set<u8>>(&json::bytes(&set)).unwrap(), set);
        }
    }

    #[test]
    fn json_in_another_order_is_read_and_an_empty_map_stays_a_map() {
        let map: Map<u32, bool> = json::read(br#"{"10":true,"9":false,"10":false}"#).unwrap();
        assert_eq!(json::bytes(&map), br#"{"9":false,"10":false}"#);
        assert_eq!(json::read::<Set<String>>(br#"["b","a","b"]"#).unwrap().0, ["a", "b"]);
        assert_eq!(json::bytes(&Map::<String, u32>::new()), b"{}");
    }
}
