#!/usr/bin/env bash
# Measures what cwmpd takes on a router and writes cross/SIZES.md. `cross/sizes.sh --help` says more.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'END'
usage: cross/sizes.sh [PART]...

Builds cwmpd with cross/build.sh in all the ways of the table in cross/SIZES.md, and writes that table. Each build takes minutes. What was
measured before, by an earlier run with another PART, stays in the table; `rm -r target/cross/sizes` forgets it.

  limits     mipsel with everything, and without TLS: what issue and release are judged by
  targets    every target with everything, without TLS, and with nothing that can be left out
  features   mipsel without each cargo feature in turn
  memory     the x86_64 program at rest, and in a session over TLS that reads the whole tree
  table      nothing; the table is written of what has been measured
END
}

parts=()
for part in "$@"; do
    case $part in
        -h | --help) usage && exit ;;
        limits | targets | features | memory | table) parts+=("$part") ;;
        *) printf 'cross/sizes.sh: no such part: %s; see --help\n' "$part" >&2 && exit 1 ;;
    esac
done
[ ${#parts[@]} -gt 0 ] || parts=(limits targets features memory)

results=target/cross/sizes
mkdir -p "$results"
# The list between `default = [` and `]`.
mapfile -t features < <(sed -n '/^default = \[/,/^\]/s/^ *"\(.*\)",$/\1/p' Cargo.toml)
list() {
    local IFS=,
    printf '%s' "$*"
}

# measure TARGET NAME OPTION...: keeps `FILE XZ COMMIT` under the name, sizes in bytes.
measure() {
    cross/build.sh --out target/cross/sizes/programs "${@:3}" "$1"
    local program=$results/programs/$1/cwmpd
    printf '%s %s %s\n' "$(stat -c %s "$program")" "$(xz -9 --check=crc32 --stdout "$program" | wc -c)" \
        "$(git describe --always --dirty)" >"$results/$1.$2"
}

no_tls=()
for feature in "${features[@]}"; do
    [ "$feature" = ring ] || no_tls+=("$feature")
done

measure_all() {
    measure "$1" all
    measure "$1" no-tls --no-default-features --features "$(list "${no_tls[@]}")"
}

for part in "${parts[@]}"; do
    case $part in
        limits) measure_all mipsel ;;
        targets)
            for target in mipsel mips armv7 aarch64 x86_64 riscv64; do
                measure_all "$target"
                measure "$target" minimal --no-default-features
            done
            ;;
        features)
            measure_all mipsel
            # What the others are compared with, also when that is measured again without them.
            cp "$results/mipsel.all" "$results/mipsel.features"
            cp "$results/mipsel.no-tls" "$results/mipsel.without-ring"
            for feature in "${no_tls[@]}"; do
                rest=()
                for other in "${features[@]}"; do
                    # What needs it goes with it.
                    case $feature:$other in
                        "$other:$feature" | diagnostics:speed-tests) ;;
                        *) rest+=("$other") ;;
                    esac
                done
                measure mipsel "without-$feature" --no-default-features --features "$(list "${rest[@]}")"
            done
            ;;
        memory)
            cross/build.sh x86_64
            CWMPD_PROGRAM=target/cross/x86_64/cwmpd cargo test --locked --quiet --test cross_smoke -- --ignored --nocapture memory |
                sed -n 's/.*\(idle\|own\|peak\): \([0-9]*\) KiB.*/\1 \2/p' >"$results/memory"
            ;;
    esac
done

kib() {
    printf '%d' $((($1 + 1023) / 1024))
}

# cell TARGET NAME: `file / xz` in KiB.
cell() {
    local file xz
    if read -r file xz _ 2>/dev/null <"$results/$1.$2"; then
        printf '%s / %s' "$(kib "$file")" "$(kib "$xz")"
    else
        printf 'not measured'
    fi
}

{
    cat <<'END'
# What cwmpd takes

Written by `cross/sizes.sh`; `cross/sizes.sh --help` says how to measure it again. Sizes are in KiB (1024 bytes), as `file / xz`: the program
as `cross/build.sh` leaves it, and what `xz -9 --check=crc32` makes of it, which is near to what it takes in the squashfs of an image.

## Limits

END
    printf '| | limit | is |\n| --- | --- | --- |\n'
    printf '| mipsel, everything | 1740 / 560 | %s |\n' "$(cell mipsel all)"
    printf '| mipsel, without TLS | - / 340 | %s |\n' "$(cell mipsel no-tls)"
    idle='not measured' own='not measured' peak='not measured'
    while read -r name kib; do
        case $name in idle) idle=$kib ;; own) own=$kib ;; peak) peak=$kib ;; esac
    done 2>/dev/null <"$results/memory" || true
    printf '| x86_64, memory at rest (VmRSS) | 1536 | %s |\n' "$idle"
    printf '| of these its own (RssAnon); the rest is the program, which the kernel can drop and read again | - | %s |\n' "$own"
    printf '| x86_64, memory at most in a session over TLS that reads the whole tree (VmHWM) | 3584 | %s |\n' "$peak"
    read -r _ _ commit 2>/dev/null <"$results/mipsel.all" || commit=none
    printf '\nMipsel with everything was measured at commit %s.\n' "$commit"
    cat <<'END'

## Targets

Everything; without TLS (`ring`); and with nothing that can be left out (`--no-default-features`).

| target | everything | without TLS | minimal |
| --- | --- | --- | --- |
END
    for target in mipsel mips armv7 aarch64 x86_64 riscv64; do
        printf '| %s | %s | %s | %s |\n' "$target" "$(cell "$target" all)" "$(cell "$target" no-tls)" "$(cell "$target" minimal)"
    done
    cat <<'END'

## Features

What mipsel with everything is without one of them, and so what it costs.
END
    if read -r file xz commit 2>/dev/null <"$results/mipsel.features"; then
        printf 'Measured at commit %s, where everything was %s / %s.\n' "$commit" "$(kib "$file")" "$(kib "$xz")"
    fi
    cat <<'END'

| without | is | costs |
| --- | --- | --- |
END
    for feature in ring "${no_tls[@]}"; do
        name=without-$feature
        costs='not measured'
        if read -r all_file all_xz _ 2>/dev/null <"$results/mipsel.features" && read -r file xz _ 2>/dev/null <"$results/mipsel.$name"; then
            costs="$(kib $((all_file - file))) / $(kib $((all_xz - xz)))"
        fi
        # shellcheck disable=SC2016 # The backquotes are Markdown.
        printf '| `%s` | %s | %s |\n' "$feature" "$(cell mipsel "$name")" "$costs"
    done
} >cross/SIZES.md.new
mv cross/SIZES.md.new cross/SIZES.md
