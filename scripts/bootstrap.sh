# Sourced by the scripts beside it: finds Python, makes .venv and installs what requirements.lock names.
# Afterwards $root is the folder of the clone and $python the interpreter in .venv.

# An empty HOME, unlike none at all, is believed, and caches would land in "/".
[ -n "${HOME:-}" ] || unset HOME

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd -P) || exit 1
cd -- "$root" || exit 1

find_python() {
    # 3.12 first: the newest for which the tests' own Redis is built.
    for candidate in ${PYTHON:+"$PYTHON"} python3.12 python3.13 python3.11 python3.14 python3 python; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            command -v -- "$candidate"
            return 0
        fi
    done
    return 1
}

if ! base_python=$(find_python); then
    {
        echo "Latchkey needs Python 3.11 or newer with its venv module, and none was found."
        echo "Install one (Debian, Ubuntu: apt install python3 python3-venv), or name it: PYTHON=/path/to/python3 $0"
    } >&2
    exit 1
fi

"$base_python" "$root/scripts/install.py" || exit 1
python=$root/.venv/bin/python
