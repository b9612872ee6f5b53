# SPDX-License-Identifier: BSD-2-Clause
"""A system as one HTML page with a picture: graphviz places the boxes, nothing is fetched."""
import html
import shutil
import subprocess

from compose import sizes
from compose.report import irq_text

MISSING = "graphviz is not installed: the page has no picture (apt-get install graphviz)"
# Of boxes on one core; more cores than colours begin again.
_COLOURS = ("#dbe9f6", "#fbe3c8", "#d5edd3", "#e8dcf3", "#f8d7dc", "#d3eeee", "#eee6b8", "#dedede")
_FONT = 'fontname="Helvetica" fontsize=11'
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font: 15px/1.4 sans-serif; margin: 2em; color: #222; }}
pre {{ background: #f6f6f4; padding: 1em; overflow: auto; }}
table {{ border-collapse: collapse; }}
td, th {{ border: 1px solid #bbb; padding: 2px 8px; text-align: left; }}
svg {{ max-width: 100%; height: auto; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>Boxes are protection domains, the highest priority on top; a dashed box is passive. Arrows are
rights: solid ones call, dashed ones notify, thin ones read or write memory.{cores}</p>
{picture}
<h2>What can reach what</h2>
{reach}
<h2>Report</h2>
<pre>{report}</pre>
</body>
</html>
"""


def _quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _node(kind, name):
    return _quote(f"{kind} {name}")


def _has_cores(system):
    """Whether it uses more than the first."""
    return system.cores() not in ([], [0])


def _domain_nodes(system):
    for domain in system.domains:
        style = "rounded,filled,dashed" if domain.passive else "rounded,filled"
        label = f"{domain.name}\\npriority {domain.priority}"
        if domain.restart:
            label += f"\\nrestarts {domain.restart.limit} times"
        if _has_cores(system):
            label += f"\\ncore {domain.core}"
        colour = _COLOURS[domain.core % len(_COLOURS)]
        yield (f'{_node("pd", domain.name)} [shape=box style="{style}" '
               f'fillcolor="{colour}" '
               f'label={_quote(label)}];'.replace("\\\\n", "\\n"))
        if domain.guest:
            yield (f'{_node("vm", domain.guest.name)} [shape=box3d style=filled '
                   f'fillcolor="#f6e3db" label={_quote("guest " + domain.guest.name)}];')
            yield (f'{_node("pd", domain.name)} -> {_node("vm", domain.guest.name)} '
                   '[label="runs" penwidth=2];')


def _ranks(system):
    """An invisible chain keeps higher priorities above lower ones."""
    levels = sorted({domain.priority for domain in system.domains}, reverse=True)
    for level in levels:
        nodes = "; ".join(_node("pd", domain.name) for domain in system.domains
                          if domain.priority == level)
        yield f'{{ rank=same; "level {level}" [shape=plaintext label="{level}"]; {nodes}; }}'
    chain = " -> ".join(f'"level {level}"' for level in levels)
    if len(levels) > 1:
        yield f"{chain} [style=invis];"


def _channel_edges(system):
    """An edge for each call and one for the notifications of a channel, drawn from the higher
    priority down so that the ranks hold."""
    for channel in system.channels:
        upper, lower = sorted(channel.ends, key=lambda end: -end.domain.priority)
        ends = f'{_node("pd", upper.domain.name)} -> {_node("pd", lower.domain.name)}'
        label = f'taillabel="{upper.id}" headlabel="{lower.id}"'
        for style, down, up in (('color="#1f5fa8" penwidth=1.5', upper.call, lower.call),
                                ('color="#2f8f4e" style=dashed', upper.notify, lower.notify)):
            if down or up:
                direction = "both" if down and up else "forward" if down else "back"
                yield f"{ends} [dir={direction} {style} {label}];"


def _parent_edges(system):
    for domain in system.domains:
        if domain.parent:
            yield (f'{_node("pd", domain.parent.name)} -> {_node("pd", domain.name)} '
                   f'[color="#888888" arrowhead=odiamond label="child {domain.child_id}"];')


def _region_edges(system):
    for region in system.regions:
        lines = [region.name, sizes.exact(region.size), region.where()]
        label = "\\n".join(filter(None, lines))
        yield (f'{_node("mr", region.name)} [shape=cylinder style=filled fillcolor="#f4f1d8" '
               f'label={_quote(label)}];'.replace("\\\\n", "\\n"))
    for owner, record in _mappings(system):
        yield (f'{owner} -> {_node("mr", record.region_name)} [dir=none color="#9a8a2a" '
               f'label="{record.perms}"];')


def _mappings(system):
    for domain in system.domains:
        for record in domain.maps:
            yield _node("pd", domain.name), record
        if domain.guest:
            for record in domain.guest.maps:
                yield _node("vm", domain.guest.name), record
    for space in system.io_spaces:
        for record in space.maps:
            yield _node("io", space.name), record


def _device_edges(system):
    for domain in system.domains:
        for irq in domain.irqs:
            node = _node("irq", str(irq.vector))
            yield (f'{node} [shape=cds style=filled fillcolor="#f3dbf6" '
                   f'label={_quote(irq_text(irq))}];')
            yield f'{node} -> {_node("pd", domain.name)} [color="#8a2a9a" headlabel="{irq.id}"];'
    for space in system.io_spaces:
        yield (f'{_node("io", space.name)} [shape=component style=filled fillcolor="#e4e4e4" '
               f'label={_quote(_device_label(space))}];'.replace("\\\\n", "\\n"))
        if space.owner:
            yield (f'{_driver_node(space)} -> {_node("io", space.name)} '
                   '[color="#666666" label="drives"];')


def _device_label(space):
    return f"device of {space.name}\\n{space.which()}" if space.owner else f"device {space.name}"


def _driver_node(space):
    """Who drives it: a domain, or the guest that it is passed through to."""
    return (_node("vm", space.owner.guest.name) if space.passed
            else _node("pd", space.owner.name))


def graph(system):
    """The picture in graphviz's language."""
    lines = [f"digraph system {{ rankdir=TB; node [{_FONT}]; edge [{_FONT}];"]
    for part in (_domain_nodes, _ranks, _channel_edges, _parent_edges, _region_edges,
                 _device_edges):
        lines += part(system)
    return "\n".join(lines) + "\n}\n"


def draw(system):
    """The picture as SVG, or None without graphviz."""
    if not shutil.which("dot"):
        return None
    result = subprocess.run(["dot", "-Tsvg"], input=graph(system), text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if result.returncode != 0 or "<svg" not in result.stdout:
        return None
    return result.stdout[result.stdout.index("<svg"):]


def _reach(system):
    rows = []
    for domain in system.domains:
        peers = {}
        for end, other in system.ends_of(domain):
            words = ["calls"] * end.call + ["notifies"] * end.notify
            if words:
                peers.setdefault(other.domain.name, []).extend(words)
        for child in system.children(domain):
            peers.setdefault(child.name, []).append("controls")
        for cap in domain.caps:
            peers.setdefault(cap.domain.name, []).append(f"holds {cap.kind}")
        shared = _shared_memory(system, domain)
        for name, regions in shared.items():
            peers.setdefault(name, []).append("shares " + ", ".join(regions))
        for name in sorted(peers):
            rows.append((domain.name, name, "; ".join(peers[name])))
    lines = ["<tr><th>From</th><th>To</th><th>By</th></tr>"]
    lines += ["<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
              for row in rows]
    return "<table>" + "\n".join(lines) + "</table>"


def _shared_memory(system, domain):
    """Other domain -> regions that this one can write and the other can see."""
    shared = {}
    for record in domain.maps:
        if "w" not in record.perms:
            continue
        for other in system.domains:
            if other is not domain and any(theirs.region is record.region
                                           for theirs in other.maps):
                shared.setdefault(other.name, []).append(record.region_name)
    return shared


def page(title, system, report):
    """The whole page and whether it has its picture."""
    picture = draw(system)
    cores = " Each core has its colour." if _has_cores(system) else ""
    text = _PAGE.format(title=html.escape(title), cores=cores,
                        picture=picture or f"<p><em>{MISSING}</em></p>",
                        reach=_reach(system), report=html.escape(report))
    return text, picture is not None
