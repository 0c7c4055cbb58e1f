# What generating and testing the clients needs, for scripts that source this file: everything pinned, and installed
# into a folder under target/.

clients=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$clients/../.." && pwd)
tools="${CARGO_TARGET_DIR:-$root/target}/clients"

# Makes a folder by a command unless it was made from the same files before: fresh FOLDER COMMAND FILES…
fresh() {
    local folder=$1 command=$2 state; shift 2
    state=$(cat "$@" "${BASH_SOURCE[0]}" | sha256sum)
    [ "$(cat "$folder/.made-from" 2>/dev/null)" = "$state" ] && return
    rm -rf "$folder"
    "$command" "$folder"
    echo "$state" >"$folder/.made-from"
}

quiet_pip() { "$1/bin/python" -m pip --quiet --disable-pip-version-check --no-input install "${@:2}"; }

make_generator() {
    python3 -m venv "$1"
    quiet_pip "$1" -r "$clients/python/generator/requirements.txt"
}

# Node looks for packages beside what it runs, so the TypeScript client is built and tested in this folder.
make_node() {
    mkdir -p "$1"
    cp "$clients/typescript/package.json" "$clients/typescript/package-lock.json" "$1"
    (cd "$1" && npm ci --no-audit --no-fund --no-update-notifier --loglevel=error)
}

python_generator() { fresh "$tools/generator" make_generator "$clients/python/generator/requirements.txt"; }
node_packages() { fresh "$tools/typescript" make_node "$clients/typescript/"{package,package-lock}.json; }
