# A private PostgreSQL in a folder of its own, for scripts that source this file.

postgres_bin=/usr/lib/postgresql/15/bin

# Installs what the tests need on a fresh Debian machine with Rust, and the packages of
# further programs, each as program:package.
install_missing() {
    local packages=() sudo=() further
    for further in "$@"; do command -v "${further%:*}" >/dev/null || packages+=("${further#*:}"); done
    [ -x "$postgres_bin/initdb" ] || packages+=(postgresql-15)
    command -v pgbouncer >/dev/null || packages+=(pgbouncer)
    command -v cc >/dev/null || packages+=(gcc libc6-dev)
    [ ${#packages[@]} -gt 0 ] || return 0
    echo "installing: ${packages[*]}"
    [ "$(id -u)" = 0 ] || sudo=(sudo)
    "${sudo[@]}" apt-get update -q
    DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -qy --no-install-recommends "${packages[@]}"
}

# What `install_missing` must be told where Python lacks what makes folders for its programs, as
# Debian's does: there is no program by which to tell.
python_venv() { python3 -c 'import ensurepip, venv' 2>/dev/null || echo pyvenv:python3-venv; }

# A port on which nothing listens.
free_port() {
    local port
    port=$(shuf -i 20000-29999 -n 1)
    while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$(shuf -i 20000-29999 -n 1); done
    echo "$port"
}

# Starts the server, with these further options of its own. Afterwards postgres_url (without
# a database) and postgres_process are set. The caller calls stop_postgres when it exits.
start_postgres() {
    postgres_folder=$(mktemp -d)
    # PostgreSQL refuses to run as root.
    postgres_as=(); if [ "$(id -u)" = 0 ]; then postgres_as=(runuser -u postgres --); chown postgres "$postgres_folder"; fi
    local port; port=$(free_port)
    (cd "$postgres_folder" && "${postgres_as[@]}" "$postgres_bin/initdb" -D "$postgres_folder/data" -U chatport -A trust >/dev/null)
    (cd "$postgres_folder" && "${postgres_as[@]}" "$postgres_bin/pg_ctl" -D "$postgres_folder/data" -w -l "$postgres_folder/log" \
        -o "-p $port -k $postgres_folder -c listen_addresses=127.0.0.1 -c max_connections=300 $*" start >/dev/null) ||
        { cat "$postgres_folder/log"; exit 1; }
    postgres_url="postgres://chatport@127.0.0.1:$port"
    postgres_process=$(head -n 1 "$postgres_folder/data/postmaster.pid")
}

stop_postgres() {
    [ -n "${postgres_folder:-}" ] || return 0
    "${postgres_as[@]}" "$postgres_bin/pg_ctl" -D "$postgres_folder/data" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$postgres_folder"
}
