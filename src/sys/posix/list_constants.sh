#!/bin/sh
# Lists the constants of NAME-3 that the platform's headers have, macros and enumerators, as the rows of the table in
# constants.cpp. Usage: list_constants.sh COMPILER [FLAG...]
set -eu
LC_ALL=C
export LC_ALL

headers='#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>'
families='(SOL|SO|TCP|IP|IPV6|MSG|AI|EAI|SHUT)_[A-Z0-9_]+'
others='AF_INET|AF_INET6|AF_UNIX|SOCK_STREAM|SOCK_DGRAM|SOCK_RAW|IPPROTO_IP|IPPROTO_TCP|IPPROTO_UDP|IPPROTO_IPV6|SOMAXCONN'

# Some names are deprecated; the list is of what there is.
echo '#pragma GCC system_header'

preprocess() { printf '%s\n' "$headers" | "$@" -x c++ -D_GNU_SOURCE -E -; }

{
    preprocess "$@" -dM | awk '{ print $2 }'
    preprocess "$@" -P | grep -oE '[A-Za-z0-9_]+'
    echo IPPROTO_SEC
} | grep -xE "$families|$others|IPPROTO_SEC" | sort -u | sed 's/.*/    {"&", static_cast<long>(&)},/'
