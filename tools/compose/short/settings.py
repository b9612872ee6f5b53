# SPDX-License-Identifier: BSD-2-Clause
"""<settings>: the text that a program reads its settings from, here or in a file."""
from compose.fields import Fields


def expand(plan, domain, element):
    fields = Fields(element, plan.problems, ("text", "path"))
    if not domain.is_first(element):
        return
    if fields.has("text") == fields.has("path"):
        plan.problems.add(element, "<settings> needs one of text= and path=")
        return
    content = {"prefill_text": fields.text("text")} if fields.has("text") else {
        "prefill_path": fields.text("path")}
    region = domain.region(element, "settings", **content)
    domain.map(element, region, "r", setvar_vaddr="settings_vaddr",
               setvar_prefill_size="settings_size")
