"""What of a person's workbook would be lost by reading and writing it."""

from __future__ import annotations

import io
import re
import zipfile

from templates.schema import Text

#: Parts that openpyxl does not carry over, and what a person calls them.
_LOST = (
    (re.compile(r"xl/media/|xl/drawings/media"), Text("pictures", "그림")),
    (re.compile(r"xl/(slicers|slicerCaches|timelines|timelineCaches)/"), Text("slicers", "슬라이서")),
    (re.compile(r"xl/(threadedComments|persons)/"), Text("threaded comments", "스레드 메모")),
    (re.compile(r"xl/(ctrlProps|activeX)/"), Text("form controls", "양식 컨트롤")),
    (re.compile(r"xl/embeddings/"), Text("embedded objects", "포함된 개체")),
    (re.compile(r"xl/(queryTables/|connections\.xml|model/)"), Text("data connections", "데이터 연결")),
    (re.compile(r"xl/charts/chartEx|xl/richData/"), Text("newer charts or data types", "새 형식의 차트나 데이터")),
    (re.compile(r"xl/vbaProject\.bin"), Text("macros", "매크로")),
    (re.compile(r"customXml/|xl/diagrams/"), Text("attached data or diagrams", "첨부 데이터나 다이어그램")),
)
_SHAPES = re.compile(rb"<(?:xdr:)?(?:sp|grpSp|cxnSp)[ >]")
_EXTENSIONS = re.compile(rb"sparklineGroup|x14:conditionalFormatting|x14:slicer")


def what_would_be_lost(data: bytes) -> Text | None:
    """Return the first part of a file that openpyxl does not carry over, or None."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            for pattern, what in _LOST:
                if pattern.match(name):
                    return what
            if name.startswith("xl/drawings/drawing") and _SHAPES.search(archive.read(name)):
                return Text("shapes", "도형")
            if name.startswith("xl/worksheets/sheet") and _EXTENSIONS.search(archive.read(name)):
                return Text("sparklines or newer formats", "스파크라인이나 새 서식")
    return None
