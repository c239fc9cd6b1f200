"""Sends datagrams to a port on this machine: plain ones, log records, and questions to a name server."""

import ctypes
import logging
import socket
import struct
from importlib import import_module

from world import UDP_PORT

libc = ctypes.CDLL(None, use_errno=True)
ADDRESS = ("127.0.0.1", UDP_PORT)
# A question for the address of a name that says what was found: servers pass it on to whoever owns the name.
QUESTION = struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + b"\x04what\x05found\x07invalid\x00" + struct.pack(">2H", 1, 1)


def opened():
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def by_connecting():
    datagrams = opened()
    datagrams.connect(ADDRESS)
    return datagrams.send(b"hello")


def by_c():
    number = libc.socket(socket.AF_INET, socket.SOCK_DGRAM, 0)
    address = struct.pack("=H", socket.AF_INET) + struct.pack(">H", UDP_PORT) + bytes((127, 0, 0, 1)) + bytes(8)
    return libc.sendto(number, b"hello", 5, 0, address, len(address)) == 5


def by_broadcast():
    datagrams = opened()
    datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    return datagrams.sendto(b"hello", ("127.255.255.255", UDP_PORT))


def by_logging():
    handler = import_module("logging.handlers").DatagramHandler(*ADDRESS)
    handler.makeSocket().sendto(handler.makePickle(logging.makeLogRecord({"msg": "hello"})), ADDRESS)
    return "logged"


WAYS = {
    "sendto": lambda: opened().sendto(b"hello", ADDRESS),
    "sendmsg": lambda: opened().sendmsg([b"hello"], [], 0, ADDRESS),
    "connecting": by_connecting,
    "C": by_c,
    "broadcast": by_broadcast,
    "other family": lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto(
        b"hello", ("::ffff:127.0.0.1", UDP_PORT)
    ),
    "logging": by_logging,
    "name server": lambda: opened().sendto(QUESTION, ADDRESS),
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
