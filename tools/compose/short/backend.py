# SPDX-License-Identifier: BSD-2-Clause
"""Components behind devices of a guest: <peer> has the other end of its second serial port, <port>
that of a port of its virtio console, <stream> that of a socket."""
from dataclasses import dataclass

from compose.fields import Fields
from compose.layout import LIMITS
from compose.short import console
from compose.short.plan import numbered

STREAM_SIZE = "0x9000"
# Of a socket's address (vm_sockets.h of Linux): the last number stands for any.
LAST_PORT = 0xFFFFFFFE


@dataclass(frozen=True)
class Kind:
    """How many a guest has, and for how many of a component `channel`, that of the monitor, and
    those behind it are the usual ones."""

    size: str
    channel: int
    of_guest: int
    of_component: int


KINDS = {
    "peer": Kind(console.SIZE, 2, 1, 2),
    "stream": Kind(STREAM_SIZE, 12, 4, 4),
    "port": Kind(console.SIZE, 20, 4, 4),
}


def expand(plan, domain, element):
    what = element.name
    kind = KINDS[what]
    fields = Fields(element, plan.problems, ("pd", "id", *(["port"] if what == "stream" else [])))
    name = fields.text("pd", required=True)
    number = fields.number("id", high=LIMITS.MAX_ID)
    index = domain.count(what)
    if kind.of_guest == 1 and not domain.is_first(element):
        return
    if kind.of_guest > 1 and domain.number(what) >= kind.of_guest:
        plan.problems.add(element, f"a guest has {kind.of_guest} <{what}> at most")
        return
    if what == "stream":
        _address(domain, element, fields, index)
    component = plan.written.get(name)
    other = plan.names.written["protection_domain"].get(name)
    if not component and other:
        plan.problems.add(element, f"'{name}' is a <{other.name}>; pd= is a <protection_domain>")
    elif not component:
        if fields.has("pd"):
            # That there is none, or that it could not be read, is found later.
            plan.channel(element, (domain.name, kind.channel + index, {}),
                         (name, kind.channel, {}))
    else:
        _connect(plan, (domain, index), element, component, number)


def _address(domain, element, fields, index):
    """The port of the host at which the guest finds the component."""
    port = fields.number("port", required=True, low=1, high=LAST_PORT)
    if port in domain.stream_ports:
        domain.plan.problems.add(element, f"'{domain.name}' has a second <stream> with port {port}")
    domain.stream_ports.add(port)
    domain.add(element, "setvar", symbol=numbered("stream", index, "_port"), value=str(port))


def _connect(plan, place, element, component, number):
    """`place` is the guest's monitor, and how many of the kind it has before this one."""
    (domain, at), what, kind = place, element.name, KINDS[element.name]
    index = component.number(f"{what} of guests")
    if number is None and index >= kind.of_component:
        plan.problems.add(element, f"<{what}> needs the attribute 'id': {kind.of_component} of "
                                   f"'{component.name}' have usual ones")
        return
    region = domain.region(element, numbered(what, at), size=kind.size)
    domain.map(element, region, setvar_vaddr=numbered(what, at, "_vaddr"))
    component.map(element, region, setvar_vaddr=numbered(what, index, "_vaddr"))
    plan.channel(element, (domain.name, kind.channel + at, {}),
                 (component.name, kind.channel + index if number is None else number, {}))
