# Source packages of a Debian suite that need not be this machine's, through apt; for tools/micropython, tools/mbedtls and
# tools/lwip, which set source_dir (where all of it goes) and suite.
# shellcheck shell=bash

say() { printf '%s\n' "$*" >&2; }
die() { say "${0##*/}: $*"; exit 1; }

# Where this machine gets Debian from, by its own configuration in whichever format: one URI a line.
mirrors() {
    local release
    # shellcheck disable=SC1091
    release=$(. /etc/os-release && printf %s "${VERSION_CODENAME:-}")
    # shellcheck disable=SC2016  # the fields are apt's to fill in
    apt-get indextargets --no-release-info --format '$(CREATED_BY) $(COMPONENT) $(RELEASE) $(REPO_URI)' \
        "Component: main" "Created-By: Packages" |
        awk -v own="${release:-$1}" -v wanted="$1" \
            '($3 == own || $3 == wanted || $3 ~ /^(old)*stable$/) && $4 !~ /^cdrom:/ && !seen[$4]++ { print $4 }'
}

# apt with lists, sources and cache of our own; the machine's proxies, mirrors' credentials and keys stay in force.
private_apt() {
    local command=$1
    shift
    "$command" -q=2 \
        -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$source_dir/apt/sources" \
        -o "Dir::State::lists=$source_dir/apt/lists" -o "Dir::Cache=$source_dir/apt/cache" \
        -o "APT::Sandbox::User=$(id -un)" "$@"
}

# download_source PACKAGE VERSION: leaves the package's files, of a version with that in it, in $source_dir/package. apt
# checks the archive's signature and so the hash of every file.
download_source() {
    local name=$1 wanted=$2 keyring mirror found=
    for keyring in /usr/share/keyrings/debian-archive-keyring.{pgp,gpg} none; do [[ -r $keyring ]] && break; done
    [[ $keyring != none ]] || die "no keys to verify Debian's archive with; install debian-archive-keyring"
    mkdir -p "$source_dir"/apt/{sources,lists/partial,cache/archives/partial}
    for mirror in $(mirrors "$suite"); do
        printf '%s\n' "Types: deb-src" "URIs: $mirror" "Suites: $suite" "Components: main" "Signed-By: $keyring" \
            >"$source_dir/apt/sources/$suite.sources"
        say "$name: reading $suite's package list"
        if private_apt apt-get update --error-on=any; then
            found=$(private_apt apt-cache showsrc --only-source "$name" | awk '$1 == "Version:" { print $2 }' |
                grep -F "$wanted" | sort -V | tail -n 1) || true
        fi
        [[ -z $found ]] || break
    done
    [[ -n $found ]] ||
        die "no Debian mirror of this machine has $name $wanted in $suite"
    say "$name: downloading $name $found"
    rm -rf "$source_dir/package.new" && mkdir "$source_dir/package.new"
    (cd "$source_dir/package.new" && private_apt apt-get source --download-only "$name=$found" >/dev/null)
    mv "$source_dir/package.new" "$source_dir/package"
}

# unpack_source PACKAGE VERSION: into $source_dir/tree, unless it is there.
unpack_source() {
    # A name without .new is complete, or not there at all.
    [[ ! -d $source_dir/tree ]] || return 0
    [[ -d $source_dir/package ]] || download_source "$@"
    rm -rf "$source_dir/tree.new"
    dpkg-source -q --no-check --no-copy -x "$source_dir"/package/*.dsc "$source_dir/tree.new" # apt has checked it
    mv "$source_dir/tree.new" "$source_dir/tree"
}
