#!/bin/sh
# Lists the constants of NAME-3 that the platform's headers have, macros and enumerators, as the rows of the table in
# constants.cpp. Usage: list_constants.sh COMPILER [FLAG...]
set -eu
LC_ALL=C
export LC_ALL

# Families that no other stack than Linux's own has, and that a small device leaves out, which gives -DUSOCKET_SMALL.
headers='#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#if !defined(USOCKET_SMALL) && defined(AF_CAN) && __has_include(<linux/can/j1939.h>)
#include <linux/can.h>
#include <linux/can/j1939.h>
#include <linux/can/raw.h>
#endif
#if !defined(USOCKET_SMALL) && defined(AF_VSOCK) && __has_include(<linux/vm_sockets.h>)
#include <linux/vm_sockets.h>
#endif'
families='(AF|SOCK|IPPROTO|SOL|SO|TCP|UDP|IP|IPV6|MSG|AI|NI|EAI|SHUT|SCM)_[A-Z0-9_]+'

# Stands for a name that glibc does not have.
dangling=SCM_SRCRT

# Some names are deprecated; the list is of what there is.
echo '#pragma GCC system_header'

preprocess() { printf '%s\n' "$headers" | "$@" -x c++ -D_GNU_SOURCE -E -; }

{
    preprocess "$@" -dM | awk '{ print $2 }'
    preprocess "$@" -P | grep -oE '[A-Za-z0-9_]+'
    echo IPPROTO_SEC
} | grep -xE "$families|AF_DECnet|SOMAXCONN" | grep -vx "$dangling" | sort -u | sed 's/.*/    {"&", static_cast<long>(&)},/'
