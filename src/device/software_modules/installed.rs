//! What is installed, read once a request.

use std::rc::Rc;

use crate::error::Result;
use crate::model::context::Context;
use crate::model::schema::Text;
use crate::platform::packages::{self, APK_INSTALLED, OPKG_INFO, OPKG_STATUS, Package};
use crate::sorted::Map;

/// The most packages that are rows.
const MOST: usize = 2000;

/// The installed packages by name; none where no package manager has left a database.
pub(super) fn packages(cx: &mut Context) -> Result<Rc<Map<String, Package>>> {
    cx.memo("packages", |cx| {
        let mut all = match cx.file(APK_INSTALLED) {
            Ok(database) => packages::apk_installed(&database),
            Err(_) => cx.file(OPKG_STATUS).map(|status| packages::opkg_installed(&status)).unwrap_or_default(),
        };
        all.truncate(MOST);
        Ok(all)
    })
}

/// A package with everything that is known of it.
pub(super) fn package(cx: &mut Context, name: &str) -> Result<Option<Package>> {
    let Some(mut package) = packages(cx)?.get(name).cloned() else { return Ok(None) };
    if let Ok(control) = cx.file(&format!("{OPKG_INFO}/{name}.control")) {
        packages::opkg_control(&mut package, &control);
    }
    Ok(Some(package))
}

/// What a package says of itself, as long as the parameter takes it.
pub(super) fn text(package: Option<Package>, field: fn(&Package) -> &String, longest: usize) -> Text {
    let package = package.unwrap_or_default();
    Text::Owned(field(&package).chars().filter(|c| !c.is_control()).take(longest).collect())
}

/// The package that each init script belongs to.
pub(super) fn owners(cx: &mut Context) -> Result<Rc<Map<String, String>>> {
    cx.memo("owners of init scripts", |cx| {
        let all = packages(cx)?;
        let files = cx.directory(OPKG_INFO);
        let mut owners = Vec::new();
        for package in all.values() {
            for script in &package.scripts {
                owners.push((script.clone(), package.name.clone()));
            }
            let list = format!("{}.list", package.name);
            if files.binary_search(&list).is_ok() {
                let list = cx.file(&format!("{OPKG_INFO}/{list}")).unwrap_or_else(|_| "".into());
                owners.extend(packages::scripts(&list).into_iter().map(|script| (script, package.name.clone())));
            }
        }
        Ok(owners.into_iter().collect())
    })
}
