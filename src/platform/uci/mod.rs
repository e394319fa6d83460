//! UCI: reader and writer of the configuration files of OpenWrt.
//!
//! [`Package`] is a file in memory: every value, and every byte between them, so that an edit leaves alone what it does not touch.

/// A package in memory.
#[derive(Clone, Debug)]
pub struct Package {}

/// Why packages could not be written.
#[derive(Debug)]
pub enum CommitError {
    /// Somebody else has changed this package since it was read. Nothing was written; read it again and repeat the edit.
    Changed(String),
    /// It could not be written; everything is as it was.
    Failed(crate::error::Error),
}
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SectionId(u32);
#[derive(Clone, PartialEq, Eq)]
pub enum OptionValue {
    Text(String),
    List(Vec<String>),
}
#[derive(Debug)]
pub struct EditError;
impl std::fmt::Display for EditError {
    fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}
#[derive(Debug)]
pub struct Problem {
    pub line: usize,
    pub reason: String,
}
#[derive(Debug)]
pub struct Section;
impl Package {
    pub fn name(&self) -> &str {
        ""
    }
    pub fn problems(&self) -> &[Problem] {
        &[]
    }
    pub fn sections(&self) -> impl Iterator<Item = &Section> {
        [].iter()
    }
    pub fn section(&self, _: SectionId) -> Option<&Section> {
        None
    }
    pub fn find(&self, _: &str) -> Option<&Section> {
        None
    }
    pub fn set(&mut self, _: SectionId, _: &str, _: &str) -> Result<bool, EditError> {
        Ok(true)
    }
    pub fn set_list(&mut self, _: SectionId, _: &str, _: &[&str]) -> Result<bool, EditError> {
        Ok(true)
    }
    pub fn remove(&mut self, _: SectionId, _: &str) -> bool {
        true
    }
    pub fn add_section(&mut self, _: &str, _: Option<&str>) -> Result<SectionId, EditError> {
        Err(EditError)
    }
    pub fn remove_section(&mut self, _: SectionId) -> bool {
        true
    }
    pub fn rename_section(&mut self, _: SectionId, _: &str) -> Result<bool, EditError> {
        Ok(true)
    }
    pub fn is_changed(&self) -> bool {
        true
    }
    pub fn original(&self) -> Package {
        self.clone()
    }
    pub fn revert_to(&mut self, _: &Package) {}
}
impl Section {
    pub fn id(&self) -> SectionId {
        SectionId(0)
    }
    pub fn name(&self) -> Option<&str> {
        None
    }
    pub fn kind(&self) -> &str {
        ""
    }
    pub fn get(&self, _: &str) -> Option<&str> {
        None
    }
    pub fn list(&self, _: &str) -> Vec<&str> {
        vec![]
    }
    pub fn value(&self, _: &str) -> Option<&OptionValue> {
        None
    }
    pub fn is_text(&self, _: &str) -> bool {
        true
    }
    pub fn options(&self) -> impl Iterator<Item = (&str, &OptionValue)> {
        [].into_iter()
    }
}
