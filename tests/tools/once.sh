# shellcheck shell=sh
# Sourced by the build.sh of a tool, whose `compile WORK` makes WORK/PROGRAM of the sources in WORK/vendor.
#
# once HERE OUTDIR PROGRAM RECIPE: makes OUTDIR/PROGRAM, with the sources that a crate in HERE's Cargo.lock carries. Needs cargo and gcc, and once
# that crate (from cargo's cache or the registry). Does nothing when it is already there; another RECIPE is another program. Safe against
# several callers at once: one builds, the others wait for it.
once() {
    here=$1
    mkdir -p "$2"
    out=$(cd "$2" && pwd)
    name=$3
    program=$out/$name-$4

    exec 9>"$out/.lock"
    flock 9
    if [ ! -x "$program" ]; then
        work=$(mktemp -d "$out/build.XXXXXX")
        trap 'rm -rf "$work"' EXIT
        # A copy of the manifest: cargo writes beside it, and the sources may be read-only.
        cp "$here/Cargo.toml" "$here/Cargo.lock" "$here/empty.rs" "$work/"
        vendor --offline || vendor || { cat "$work/vendor.log" >&2; exit 1; }
        compile "$work"
        mv "$work/$name" "$program"
    fi
    ln -sf "$name-$4" "$out/.$name.new"
    mv -f "$out/.$name.new" "$out/$name"
}

vendor() {
    cargo vendor --quiet --locked "$@" --manifest-path "$work/Cargo.toml" "$work/vendor" >"$work/vendor.log" 2>&1
}
