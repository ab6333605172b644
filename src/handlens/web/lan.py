"""The way in from the local network: which address this machine has there, and a picture of a link that a phone can read."""

from __future__ import annotations

import io
import ipaddress
import os
import socket

import segno

from handlens.errors import UsageError

ANY = "auto"
_NOWHERE = ("192.0.2.1", 9)  # an address that belongs to nobody (RFC 5737); nothing is sent to it
_HINT = "Name the address that the phone can reach: handlens lab --lan 192.168.1.20"


def lan_address(chosen: str) -> str:
    """The address that was chosen, or the one by which this machine goes out into its network.

    Raises:
        UsageError: that is no address, or this machine is in no network.
    """
    address = _outward() if chosen == ANY else chosen
    try:
        found = ipaddress.IPv4Address(address)
    except ValueError as error:
        raise UsageError("That is no address of four numbers.", hint=_HINT) from error
    if found.is_unspecified or (chosen == ANY and found.is_loopback):
        raise UsageError("This machine is in no network that a phone could be in.", hint=_HINT)
    return str(found)


def _outward() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        try:
            line.connect(_NOWHERE)
        except OSError:
            return "0.0.0.0"
        return str(line.getsockname()[0])


def bound_to(address: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        OSError: the port is taken, or this machine has no such address.
    """
    bound = socket.socket(proto=socket.IPPROTO_TCP)  # only of such does asyncio send small answers at once, not 40 ms later
    try:
        if os.name != "nt":
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # else a lab that was killed holds its port for a minute
        bound.bind((address, port))
        bound.listen()
    except OSError:
        bound.close()
        raise
    return bound


def listening_there(address: str, port: int) -> socket.socket:
    """A socket at this machine's address in the network.

    Raises:
        UsageError: it has no such address, or the port is taken there.
    """
    try:
        return bound_to(address, port)
    except OSError as error:
        raise UsageError(f"The lab cannot listen at {address}:{port}: {error.strerror}.", hint=_HINT) from error


def qr_picture(text: str) -> str:
    """A QR code as the address of a picture."""
    return segno.make(text, error="m").png_data_uri(scale=6, border=3)


def qr_lines(text: str) -> str:
    """A QR code of signs, for a terminal."""
    file = io.StringIO()
    segno.make(text, error="l").terminal(file, border=2, compact=True)
    return file.getvalue()
