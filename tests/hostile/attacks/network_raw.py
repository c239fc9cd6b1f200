"""Opens raw and rare sockets: pings, forged datagrams, what others send, the host of a virtual machine."""

import fcntl
import os
import socket
import struct

from world import UDP_PORT

EVERYTHING = 0x0003  # ETH_P_ALL
HERE = ("127.0.0.1", 0)
PING = struct.pack(">BBHHH", 8, 0, 0xF7FF - 0x0001, 0, 1)
MACHINE_ID = 0x7B9  # IOCTL_VM_SOCKETS_GET_LOCAL_CID


def by_forged_datagram():
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
    return raw.sendto(struct.pack(">4H", 53, UDP_PORT, 8 + 5, 0) + b"hello", HERE)


def by_sniffing():
    sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERYTHING))
    sniffer.settimeout(0.02)
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"hello", ("127.0.0.1", UDP_PORT))
    return sniffer.recv(100)


def by_host_of_the_machine():
    host = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
    host.settimeout(0.02)
    host.bind((socket.VMADDR_CID_ANY, socket.VMADDR_PORT_ANY))
    host.listen()
    return f"listens at {host.getsockname()}"


WAYS = {
    "ping": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP).sendto(PING, HERE),
    "raw ping": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).sendto(PING, HERE),
    "forged datagram": by_forged_datagram,
    "sniffing": by_sniffing,
    "host of the machine": by_host_of_the_machine,
    "machine id": lambda: fcntl.ioctl(os.open("/dev/vsock", os.O_RDONLY), MACHINE_ID, bytes(4)).hex(),
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
