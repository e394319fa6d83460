#!/usr/bin/env bash
# Builds cwmpd for routers: static programs on musl, with what apt, PyPI and crates.io have. `cross/build.sh --help` says how.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'END'
usage: cross/build.sh [OPTION]... [TARGET]...

Builds cwmpd for each TARGET and leaves it at target/cross/TARGET/cwmpd. Without a TARGET: mipsel mips armv7 aarch64 x86_64.

  mipsel   MIPS32r2, little endian, soft float (24Kc and alike: ramips, and most of the small ones)
  mips     MIPS32r2, big endian, soft float (24Kc: ath79, lantiq)
  armv7    ARMv7 with hardware floating point (ipq40xx, mvebu, sunxi)
  aarch64  ARMv8 (mediatek filogic, ipq807x, bcm27xx)
  x86_64   PCs and virtual machines
  riscv64  RV64GC

options:
  --features LIST         cargo features to build with, comma separated
  --no-default-features   nothing but what --features names; without both, all of it is built
  --out DIR               leave the programs at DIR/TARGET/cwmpd instead
  --symbols               leave the program with its symbols at DIR/TARGET/cwmpd.symbols too
  --install               install what is missing (apt and pip) and build nothing
  -h, --help              this text

Needs Debian 12 or newer; what is missing is installed, for which it must run as root once. No other toolchain is touched.
END
}

fail() {
    printf 'cross/build.sh: %s\n' "$*" >&2
    exit 1
}

features=()
targets=()
out=target/cross
symbols=
only_install=
while [ $# -gt 0 ]; do
    case $1 in
        --features=* | --out=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" && continue ;;
        --features | --out)
            [ $# -gt 1 ] || fail "$1 needs a value; see --help"
            if [ "$1" = --out ]; then out=$2; else features+=(--features "$2"); fi
            shift
            ;;
        --no-default-features) features+=("$1") ;;
        --symbols) symbols=1 ;;
        --install) only_install=1 ;;
        -h | --help) usage && exit ;;
        -*) fail "no such option: $1; see --help" ;;
        mipsel | mips | armv7 | aarch64 | x86_64 | riscv64) targets+=("$1") ;;
        *) fail "no such target: $1; one of mipsel mips armv7 aarch64 x86_64 riscv64" ;;
    esac
    shift
done
[ ${#targets[@]} -gt 0 ] || targets=(mipsel mips armv7 aarch64 x86_64)

# The newest Zig that still has musl's own allocator; later ones take 64 KiB for every size of block.
zig=ziglang==0.15.2
zigbuild=cargo-zigbuild==0.24.0
tools=$PWD/target/cross/tools

installed() {
    dpkg-query --show --showformat '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed
}

# Debian's compiler, because rustup has no sources of the library that fit a compiler without its help, and no MIPS.
missing=()
for package in rustc-web cargo-web rust-web-src llvm gcc libc6-dev python3-venv xz-utils; do
    installed "$package" || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    command -v apt-get >/dev/null || fail "needs Debian with the packages ${missing[*]}"
    [ "$(id -u)" = 0 ] || fail "packages are missing; run as root: apt-get install --no-install-recommends ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update
    apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null ||
        fail "apt-get could not install ${missing[*]}; rustc-web comes from bookworm-security or newer"
fi
version() {
    dpkg-query --show --showformat '${Version}' "$1"
}
for package in cargo-web rust-web-src; do
    [ "$(version "$package")" = "$(version rustc-web)" ] ||
        fail "$package is $(version "$package"), rustc-web is $(version rustc-web): they must be equal; run: apt-get install rustc-web cargo-web rust-web-src"
done
if ! [ -e "$tools/$zig-$zigbuild" ]; then
    python3 -m venv --clear "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check "$zig" "$zigbuild" ||
        fail "pip could not install $zig and $zigbuild into $tools"
    touch "$tools/$zig-$zigbuild"
fi
[ -z "$only_install" ] || exit 0

# rustup's cargo must not come first: it would take its own compiler, which has no sources here.
export PATH=$tools/bin:/usr/bin:/bin RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc
# For building the standard library along, and for the flags below.
export RUSTC_BOOTSTRAP=1
export CARGO_TARGET_DIR=$PWD/target/cross/build CARGO_PROFILE_RELEASE_STRIP=none CARGO_INCREMENTAL=0
# Nothing from outside may change what comes out.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET RUSTUP_TOOLCHAIN

# No path of this machine gets into the program.
home=${CARGO_HOME:-$HOME/.cargo}
remap="--remap-path-prefix=$PWD=/cwmpd --remap-path-prefix=$home=/cargo --remap-path-prefix=/usr/lib/rustlib/src=/rust"
export CFLAGS="-ffile-prefix-map=$PWD=/cwmpd -ffile-prefix-map=$home=/cargo"

# A panic ends the program at once and without a message, where nobody could read it; procd starts it anew. Places in the sources and tables
# for unwinding go with it, and {:?} of a type of our own, which only tests print, is its name alone.
small="-Zunstable-options -Cpanic=immediate-abort -Cforce-unwind-tables=no -Zlocation-detail=none -Zfmt-debug=shallow"

# On MIPS, whose flash is the smallest, nothing is computed ahead of loops or moved away from where it stands in the source: values that are kept
# longer take the stack, and code of which each place is arranged in another way packs badly. It is 1 % less as a file, and 7 % as xz.
packs=
for pass in -disable-machine-licm -disable-lsr -enable-pre=false -enable-load-pre=false -pre-RA-sched=source -disable-machine-cse -disable-machine-sink \
    -disable-block-placement -min-jump-table-entries=8; do
    packs="$packs -Cllvm-args=$pass"
done

triple() {
    case $1 in
        armv7) printf armv7-unknown-linux-musleabihf ;;
        riscv64) printf riscv64gc-unknown-linux-musl ;;
        *) printf '%s-unknown-linux-musl' "$1" ;;
    esac
}

wanted=()
for target in "${targets[@]}"; do
    case $target in
        # Not position independent, or the program crashes as soon as it starts a thread.
        mipsel | mips) flags="-Crelocation-model=static $packs" ;;
        riscv64) flags="-Clink-self-contained=no -Ctarget-feature=+crt-static" ;;
        *) flags="-Clink-self-contained=no" ;;
    esac
    variable=$(triple "$target")
    wanted+=(--target "$variable")
    variable=${variable^^}
    export "CARGO_TARGET_${variable//-/_}_RUSTFLAGS=$small $flags $remap"
done

# All in one run, so that each processor of this machine has one to build.
cargo zigbuild --locked --release --bin cwmpd -Z build-std=std,panic_abort -Z build-std-features=optimize_for_size \
    "${wanted[@]}" "${features[@]}" || fail "cargo could not build it"

for target in "${targets[@]}"; do
    built=$CARGO_TARGET_DIR/$(triple "$target")/release/cwmpd
    mkdir -p "$out/$target"
    # What strip leaves behind on MIPS is 100 KB.
    llvm-objcopy --strip-all -R .pdr -R .mdebug.abi32 -R .comment "$built" "$out/$target/cwmpd"
    [ -z "$symbols" ] || cp "$built" "$out/$target/cwmpd.symbols"
    printf '%s: %s, %d bytes\n' "$target" "$out/$target/cwmpd" "$(stat -c %s "$out/$target/cwmpd")"
done
