#!/bin/sh
# Called by the package feed's tests in a container with the package installed: test.sh PACKAGE VERSION
set -eu

[ "$1" = cwmpd ] || exit 0

cwmpd --version | grep -F "$2"
cwmpd check
