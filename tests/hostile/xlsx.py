"""Minimal Excel workbooks, written by hand."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
)
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="r1" Type="{_REL}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><cellXfs count="4"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/>'
    '<xf numFmtId="21"/></cellXfs></styleSheet>'
)
DATE, MOMENT, CLOCK = 1, 2, 3


def cell(place: str, value: object, style: int = 0) -> str:
    """One `<c>`: text, number, bool, a formula's cached value ("=1+1", 2) or an error ("#N/A!" as ("#", text))."""
    mark = f' s="{style}"' if style else ""
    if isinstance(value, tuple):
        formula, kept = value
        if formula == "#":
            return f'<c r="{place}" t="e"><v>{kept}</v></c>'
        return f'<c r="{place}"{mark}><f>{escape(formula[1:])}</f><v>{kept}</v></c>'
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    return f'<c r="{place}"{mark}><v>{value}</v></c>'


def sheet(rows: Sequence[Sequence[object]], top: int = 1, left: int = 0, merged: str = "") -> str:
    """The XML of a sheet. A cell is a value or (value, style) with an int style; None is no cell."""
    lines = []
    for number, row in enumerate(rows, top):
        cells = []
        for place, value in enumerate(row, left):
            style = 0
            if isinstance(value, list):
                value, style = value
            if value is not None:
                cells.append(cell(f"{chr(65 + place)}{number}", value, style))
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    merge = f'<mergeCells count="1"><mergeCell ref="{merged}"/></mergeCells>' if merged else ""
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{"".join(lines)}</sheetData>{merge}</worksheet>'


def _state(hidden: bool) -> str:
    return "hidden" if hidden else "visible"


def workbook(sheets: dict[str, str], hidden: Sequence[str] = (), packing: int = zipfile.ZIP_STORED) -> bytes:
    """The bytes of an .xlsx of these sheets (name -> XML)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        listed = "".join(
            f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="s{n}" state="{_state(name in hidden)}"/>'
            for n, name in enumerate(sheets, 1)
        )
        links = "".join(
            f'<Relationship Id="s{n}" Type="{_REL}/worksheet" Target="worksheets/sheet{n}.xml"/>'
            for n in range(1, len(sheets) + 1)
        )
        files = {
            "[Content_Types].xml": _TYPES,
            "_rels/.rels": _RELS,
            "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_REL}"><sheets>{listed}</sheets></workbook>',
            "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
            f'relationships">{links}<Relationship Id="st" Type="{_REL}/styles" Target="styles.xml"/></Relationships>',
            "xl/styles.xml": _STYLES,
        }
        files |= {f"xl/worksheets/sheet{n}.xml": text for n, text in enumerate(sheets.values(), 1)}
        for name, text in files.items():
            made.writestr(zipfile.ZipInfo(name), text, packing)
    return out.getvalue()
