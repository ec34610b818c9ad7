# Sourced by the scripts beside it: finds Python, makes .venv and installs what requirements.lock names.
# Afterwards $root is the folder of the clone and $python the interpreter in .venv.

# An empty HOME, unlike none at all, is believed, and caches would land in "/".
[ -n "${HOME:-}" ] || unset HOME

# What the shell exports for another project; here only .venv and this clone's own modules count.
unset DJANGO_SETTINGS_MODULE PYTHONHOME PYTHONPATH PYTHONSAFEPATH

# Everything here is UTF-8, also where the locale is of another age.
export PYTHONUTF8="${PYTHONUTF8:-1}"

# Called by a link to it, too.
script=$(readlink -f -- "$0") || script=$0
root=$(CDPATH= cd -- "$(dirname -- "$script")/.." && pwd -P) || exit 1
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
