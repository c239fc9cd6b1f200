"""Opens a port or a path of its own, where others can leave it what they like and fetch what it has."""

import ctypes
import os
import socket
import struct
from importlib import import_module

from world import FOLDER

libc = ctypes.CDLL(None, use_errno=True)
ANY_PORT = ("127.0.0.1", 0)
SECONDS = 0.05


def by_tcp():
    listener = socket.create_server(ANY_PORT)
    # In a network of its own it could listen as well, but nobody would come.
    socket.create_connection(listener.getsockname(), SECONDS)
    return listener.getsockname()


def by_udp():
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(ANY_PORT)
    return datagrams.sendto(b"hello", datagrams.getsockname()) and datagrams.getsockname()


def by_web_server():
    server = import_module("http.server").HTTPServer(ANY_PORT, None)
    socket.create_connection(server.server_address, SECONDS)
    return server.server_address


def by_path():
    path = f"{FOLDER}/{os.urandom(4).hex()}"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    return path


def by_path_in_c():
    number = libc.socket(socket.AF_UNIX, socket.SOCK_DGRAM, 0)
    address = struct.pack("=H108s", socket.AF_UNIX, f"{FOLDER}/{os.urandom(4).hex()}".encode())
    return libc.bind(number, address, len(address)) == 0


WAYS = {
    "tcp": by_tcp,
    "udp": by_udp,
    "web server": by_web_server,
    "path": by_path,
    "path in C": by_path_in_c,
}


def attack():
    refusal = None
    for name, way in WAYS.items():
        try:
            got = way()
        except Exception as error:
            refusal = refusal or error
            continue
        if got:
            print("GOT THROUGH:", name, got)
            return
    raise refusal or LookupError("found nothing")


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
