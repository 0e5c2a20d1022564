"""Cut a process off from every network. Linux only: elsewhere, and where the system forbids it, the process stays as it was."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import sys

NEW_USERS, NEW_NETWORK = 0x10000000, 0x40000000  # CLONE_NEWUSER, CLONE_NEWNET of <linux/sched.h>
THIRD_VERSION = 0x20080522  # _LINUX_CAPABILITY_VERSION_3


def leave_networks() -> str:
    """Put this process, and whatever it starts, into a network of its own, which has no addresses and leads nowhere; return "", or why not.

    Whoever is not root needs a namespace of users for that, which the kernel gives to processes with one thread; what rights come with it
    are given up at once. Open pipes and files stay open.
    """
    if not sys.platform.startswith("linux"):
        return f"{sys.platform} has no namespaces"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(NEW_NETWORK) == 0:
        return ""
    if libc.unshare(NEW_USERS | NEW_NETWORK) != 0:
        return os.strerror(ctypes.get_errno())
    header, none = (ctypes.c_uint32 * 2)(THIRD_VERSION, 0), (ctypes.c_uint32 * 6)()
    libc.capset(header, none)
    return ""


def hindrance() -> str:
    """Why reading processes cannot be cut off here, or "": tried in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(leave_networks)
