"""Runs one command that ends when its parent ends: `python child.py PARENT_PID SIGNAL USER ARGV...`.

Standard library alone. It is executed by path, in an isolated interpreter, because a `preexec_fn` is unsafe
beside threads and `setpriv` may be missing. The command replaces it (`exec`), so pid
and start time stay those of this process.
"""

import ctypes
import os
import pwd
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h; see prctl(2)


def become(user: str) -> None:
    """Give up root for `user` ("" keeps the present user); KeyError when there is no such user."""
    if not user:
        return
    entry = pwd.getpwnam(user)
    os.setgroups([entry.pw_gid])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def die_with_parent(parent: int, signal_number: int) -> None:
    """Ask Linux to signal us when the parent ends; leave at once when it has ended already.

    Must come after `become`, because a change of user clears the request.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        sys.exit(1)


def main(arguments: list[str]) -> None:
    """Change user, tie our life to the parent's, and become the command."""
    parent, signal_number, user, *command = arguments
    try:
        become(user)
    except (KeyError, PermissionError) as error:
        sys.exit(f"cannot become the user {user}: {error}")
    die_with_parent(int(parent), int(signal_number))
    try:
        os.execvp(command[0], command)  # noqa: S606 -- no shell is wanted; the command is ours
    except OSError as error:
        sys.exit(f"{command[0]} cannot be run: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
