# SPDX-License-Identifier: BSD-2-Clause
"""Checks of the devices that domains drive: each has to be found at the start."""


def check(system, problems):
    for space in system.io_spaces:
        trouble = _trouble(space) if space.owner else None
        if trouble and not problems.is_lost("protection_domain", space.component_name):
            problems.add(space.element, trouble)


def _trouble(space):
    """Why the device cannot be found, or None."""
    owner, name = space.owner.name, space.component_name
    if not space.component:
        return f"no <protection_domain> is named '{name}', which is to grant '{owner}' its device"
    if space.channel is None:
        return f"'{owner}' does not call '{name}': no <channel> has an end with pp='true' there"
    if not space.settings:
        return f"'{name}' has no settings: no <map> of it has setvar_vaddr='settings_vaddr'"
    if space.number >= len(space.grants):
        return (f"'{owner}' has no device {space.number}: the settings of '{name}' have "
                f"{len(space.grants)} `grant {space.channel}`")
    if space.component.core:
        return (f"'{name}' must be on core 0, where the initial task finds devices and resets "
                "them")
    return None
