#!/bin/sh
# Called by the package feed's tests in a container with the package installed: test.sh PACKAGE VERSION
set -eu

case $1 in
cwmpd | cwmpd-mini) ;;
*) exit 0 ;;
esac

cwmpd --version | grep -F "$2"
cwmpd check
cwmpd names Device. --next-level | grep -F Device.DeviceInfo.
