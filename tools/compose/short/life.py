# SPDX-License-Identifier: BSD-2-Clause
"""What follows when a guest ends, and <control>: a component that commands it."""
from compose.fields import Fields
from compose.layout import LIMITS
from compose.model import PAGE
from compose.short.plan import hexadecimal, numbered

EVENTS = ("on_reboot", "on_poweroff", "on_crash", "on_watchdog")
OF_RESTARTS = ("restart_limit", "restart_backoff")
ATTRIBUTES = (*EVENTS, "watchdog", *OF_RESTARTS)
STOP, RESTART = CHOICES = ("stop", "restart")
LONGEST_BACKOFF = 60_000_000
MONITOR_CHANNEL = 3
FIRST_CHANNEL, MOST = 16, 4  # of a component that controls guests


def describe(domain, element, fields):
    """Variables of the monitor for what is not its usual policy."""
    for name in EVENTS:
        if fields.has(name):
            _set(domain, element, name, CHOICES.index(fields.choice(name, STOP, CHOICES)))
    watchdog = fields.boolean("watchdog", False)
    if watchdog:
        _set(domain, element, "watchdog", 1)
    elif fields.has("on_watchdog"):
        domain.plan.problems.add(element, "on_watchdog needs watchdog='true' beside it")
    for name, low, high in (("restart_limit", 1, 0xFFFFFFFF),
                            ("restart_backoff", 0, LONGEST_BACKOFF)):
        if not fields.has(name):
            continue
        _set(domain, element, name, fields.number(name, low=low, high=high))
        if not watchdog and RESTART not in (fields.text(event)
                                            for event in ("on_fault", *EVENTS)):
            domain.plan.problems.add(element, f"{name} needs on_crash='restart', or another event "
                                              "that restarts, beside it")


def _set(domain, element, name, value):
    domain.add(element, "setvar", symbol=f"guest_{name}", value=str(value))


def expand(plan, domain, element):
    fields = Fields(element, plan.problems, ("guest", "id"))
    name = fields.text("guest", required=True)
    number = fields.number("id", high=LIMITS.MAX_ID)
    index = domain.number("control")
    guest = plan.guests.get(name)
    if guest is None:
        if fields.has("guest") and not plan.may_be_misspelt("virtual_machine", name):
            plan.problems.add(element, f"no <virtual_machine> under <system> is named '{name}'")
    elif guest.number("controller"):
        plan.problems.add(element, f"'{name}' has a second <control>; one component controls it")
    elif number is None and index >= MOST:
        plan.problems.add(element, f"<control> needs the attribute 'id': {MOST} have usual ones")
    else:
        region = guest.region(element, "control", size=hexadecimal(PAGE))
        guest.map(element, region, setvar_vaddr="control_vaddr")
        domain.map(element, region, setvar_vaddr=numbered("guest", index, "_vaddr"))
        plan.channel(element, (domain.name, FIRST_CHANNEL + index if number is None else number,
                               {}), (guest.name, MONITOR_CHANNEL, {}))
