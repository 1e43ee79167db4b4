"""Plants in standard, nested, private and unlisted attributes, and in structured documents."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from napari_medlabel.deid.rules.dictionary import entry
from tests.deid.leaks.planting import IDENTITY, Context, Planter, add, image, save

SR, PDF = "1.2.840.10008.5.1.4.1.1.88.11", "1.2.840.10008.5.1.4.1.1.104.1"
GSPS, RTSTRUCT = "1.2.840.10008.5.1.4.1.1.11.1", "1.2.840.10008.5.1.4.1.1.481.3"
ECG = "1.2.840.10008.5.1.4.1.1.9.1.1"
IMAGE_TAGS = (0x00280002, 0x00280004, 0x00280010, 0x00280011, 0x00280100, 0x00280101,
              0x00280102, 0x00280103, 0x7FE00010)  # fmt: skip
NESTING = ("AnatomicRegionSequence", "ViewCodeSequence", "DerivationCodeSequence",
           "SourceImageSequence", "PurposeOfReferenceCodeSequence")  # fmt: skip
NEW_SINCE_2024 = frozenset(
    {0x00100012, 0x00100013, 0x00100016, 0x00100042, 0x00100045, 0x00100047, 0x00102162,
     0x0040A034, 0x0040A035, 0x0040B034, 0x0040B036, 0x0040B03B, 0x0040B03F, 0x0040E012,
     0x00081301, 0x00081302, 0x00081303, 0x00081304, 0x00100011, 0x00100014, 0x00100015,
     0x00100041, 0x00100043, 0x00100044, 0x00100046}
)  # fmt: skip


def rows() -> list[int]:
    """Return the tags of Table E.1-1, families left out."""
    source = files("napari_medlabel.deid") / "data" / "basic_2026c.json"
    rules = json.loads(source.read_text("utf-8"))["rules"]
    tags = [int(tag, 16) for tag, *_ in rules if tag != "odd" and "x" not in tag]
    return [tag for tag in tags if tag >> 16 > 4]  # below: commands, meta, directory


def item(**values: Any) -> Dataset:
    """Return an item of a sequence."""
    result = Dataset()
    for keyword, value in values.items():
        setattr(result, keyword, value)
    return result


def plant_table(planter: Planter, folder: Path) -> None:
    """Every row of the table at the top level, and every row in a sequence of an item."""
    top, inner = "table/top.dcm", "table/nested.dcm"
    flat, holder, nested = (
        image(planter, top, without=IDENTITY),
        image(planter, inner),
        Dataset(),
    )
    for tag in rows():
        kind = "new rows" if tag in NEW_SINCE_2024 else "standard"
        where = f"{tag:08X}"
        value = planter.value((kind, top, where), entry(tag)[1])
        if value is not None:
            add(flat, tag, entry(tag)[1], value)
        if tag >> 16 == 0xFFFC:  # padding has its place at the end of a file
            continue
        value = planter.value((kind, inner, f"nested {where}"), entry(tag)[1])
        if value is not None:
            add(nested, tag, entry(tag)[1], value)
    group = item(FrameAnatomySequence=Sequence([nested]))
    holder.SharedFunctionalGroupsSequence = Sequence([group])
    save(folder, top, flat)
    save(folder, inner, holder)


def plant_families(planter: Planter, folder: Path) -> None:
    """Overlays and curves in several groups, at the top level and nested."""
    file = "families.dcm"
    ds, nested = image(planter, file), Dataset()
    for target, at in ((ds, ""), (nested, "nested ")):
        for group in (0x6000, 0x6002, 0x601E):
            where = f"{at}overlay {group:04X}"
            c: Context = ("standard", file, where)
            add(target, group << 16 | 0x0010, "US", 8)
            add(target, group << 16 | 0x0011, "US", 6)
            add(target, group << 16 | 0x0022, "LO", planter.word(("unlisted", file, where)))
            add(target, group << 16 | 0x0040, "CS", "G")
            add(target, group << 16 | 0x0050, "SS", [1, 1])
            add(target, group << 16 | 0x0100, "US", 1)
            add(target, group << 16 | 0x0102, "US", 0)
            add(target, group << 16 | 0x1500, "LO", planter.word(("unlisted", file, where)))
            add(target, group << 16 | 0x3000, "OW", planter.word(c, length=12).encode())
            add(target, group << 16 | 0x4000, "LT", planter.word(c))
        for group in (0x5000, 0x5004):
            c = ("standard", file, f"{at}curve {group:04X}")
            add(target, group << 16 | 0x0005, "US", 2)
            add(target, group << 16 | 0x0020, "CS", planter.word(c).upper())
            add(target, group << 16 | 0x0022, "LO", planter.word(c))
            add(target, group << 16 | 0x0030, "SH", planter.word(c))
            add(target, group << 16 | 0x2500, "LO", planter.word(c))
            add(target, group << 16 | 0x3000, "OW", planter.word(c, length=12).encode())
    ds.AnatomicRegionSequence = Sequence([nested])
    save(folder, file, ds)


def plant_private(planter: Planter, folder: Path) -> None:
    """Private blocks of every kind: known creators, sequences, orphans, nested ones."""
    file = "private.dcm"
    ds = image(planter, file)

    def into(target: Dataset, where: str) -> None:
        for group, creator in ((0x0009, "GEMS_IDEN_01"), (0x0029, "SIEMENS CSA HEADER"),
                               (0x7053, "Philips PET Private Group")):  # fmt: skip
            c: Context = ("private", file, f"{where}{group:04X} {creator}")
            add(target, group << 16 | 0x10, "LO", creator)
            for number, vr in enumerate(("LO", "PN", "UN", "OB", "DA", "UI", "DS", "SH", "UT")):
                add(target, group << 16 | 0x1000 | number, vr, planter.value(c, vr))
            inside = item(PatientName=planter.word(c))
            add(inside, group << 16 | 0x10, "LO", creator)
            add(inside, group << 16 | 0x1001, "LO", planter.word(c))
            add(target, group << 16 | 0x1020, "SQ", Sequence([inside]))

    into(ds, "")
    nested = Dataset()
    into(nested, "nested ")
    ds.AnatomicRegionSequence = Sequence([nested])
    c: Context = ("private", file, "creator and orphan")
    add(ds, 0x00110010, "LO", planter.word(c))
    add(ds, 0x00131001, "LO", planter.word(c))
    add(ds, 0x00150002, "LO", planter.word(c))
    save(folder, file, ds)


def plant_unlisted(planter: Planter, folder: Path) -> None:
    """Attributes that identify and that no row of the table names."""
    file = "unlisted.dcm"
    ds = image(planter, file)
    listed = (
        (0x00420010, "ST"), (0x00081190, "UR"), (0x0040E010, "UT"), (0x0040A160, "UT"),
        (0x00181020, "LO"), (0x00081090, "LO"), (0x00180022, "CS"), (0x00181250, "SH"),
        (0x00189005, "SH"), (0x00180024, "SH"), (0x00281055, "LO"), (0x00283003, "LO"),
        (0x00180010, "LO"), (0x00180015, "CS"), (0x00082111, "ST"), (0x00189074, "DT"),
        (0x00181210, "SH"), (0x00080070, "LO"), (0x00540400, "SH"),
        (0x00700080, "CS"), (0x00089123, "UI"), (0x00181160, "SH"), (0x00321060, "LO"),
    )  # fmt: skip
    nested = Dataset()
    for tag, vr in listed:
        add(ds, tag, vr, planter.value(("unlisted", file, f"{tag:08X}"), vr))
        add(nested, tag, vr, planter.value(("unlisted", file, f"nested {tag:08X}"), vr))
    c: Context = ("unlisted", file, "code")
    code = item(
        CodeValue=planter.word(c), CodingSchemeDesignator="99" + planter.word(c),
        CodeMeaning=planter.word(c), CodingSchemeVersion=planter.word(c),
    )  # fmt: skip
    local = item(CodeValue="113100", CodingSchemeDesignator="DCM", CodeMeaning=planter.word(c))
    ds.AnatomicRegionSequence = Sequence([code, local])
    ds.ViewCodeSequence = Sequence([nested])
    lut = item(LUTDescriptor=[2, 0, 16], LUTExplanation=planter.word(c), ModalityLUTType="HU")
    add(lut, 0x00283006, "OW", planter.word(c, length=12).encode())
    ds.VOILUTSequence = Sequence([lut])
    save(folder, file, ds)


def plant_deep(planter: Planter, folder: Path) -> None:
    """Names, dates and numbers five sequences down."""
    file = "deep.dcm"
    ds = image(planter, file)
    inner = Dataset()
    for depth in range(5, 0, -1):
        c: Context = ("standard", file, f"depth {depth}")
        inner.PatientName = planter.word(c) + "^" + planter.word(c)
        inner.PatientID = planter.number(c)
        inner.StudyDate = planter.day(c)
        inner.InstitutionName = planter.word(c)
        inner.ReferencedSOPInstanceUID = planter.uid(c)
        add(inner, 0x00081195, "UI", planter.uid(c))
        outer = Dataset()
        setattr(outer, NESTING[depth - 1], Sequence([inner]))
        inner = outer
    ds.update(inner)
    for keyword in ("OriginalAttributesSequence", "ContributingEquipmentSequence",
                    "ReferencedPatientSequence", "RequestAttributesSequence",
                    "PerformedProtocolCodeSequence", "IconImageSequence",
                    "ReferencedImageSequence", "DigitalSignaturesSequence"):  # fmt: skip
        c = ("standard", file, keyword)
        inside = item(
            PatientName=planter.word(c), InstitutionName=planter.word(c),
            StationName=planter.word(c), CodeMeaning=planter.word(c),
            ReferencedSOPInstanceUID=planter.uid(c),
        )  # fmt: skip
        if keyword == "IconImageSequence":
            inside.Rows = inside.Columns = 4
            inside.PixelData = planter.word(c, length=16).encode()
            inside["PixelData"].VR = "OB"
        setattr(ds, keyword, Sequence([inside]))
    save(folder, file, ds)


def plant_documents(planter: Planter, folder: Path) -> None:
    """A report, a PDF, a presentation state, structures and a waveform."""
    _report(planter, folder)
    _pdf(planter, folder)
    _presentation(planter, folder)
    _structures(planter, folder)
    _waveform(planter, folder)


def _bare(planter: Planter, file: str, sop_class: str, modality: str) -> Dataset:
    ds = image(planter, file, SOPClassUID=sop_class, Modality=modality)
    for tag in IMAGE_TAGS:
        del ds[tag]
    return ds


def _code(meaning: str, value: str = "121071") -> Sequence:
    return Sequence([item(CodeValue=value, CodingSchemeDesignator="DCM", CodeMeaning=meaning)])


def _report(planter: Planter, folder: Path) -> None:
    file = "report.dcm"
    ds = _bare(planter, file, SR, "SR")
    kinds = (
        ("TEXT", "TextValue"), ("PNAME", "PersonName"), ("DATE", "Date"), ("TIME", "Time"),
        ("DATETIME", "DateTime"), ("UIDREF", "UID"),
    )  # fmt: skip
    vrs = {"TextValue": "UT", "PersonName": "PN", "Date": "DA", "Time": "TM",
           "DateTime": "DT", "UID": "UI"}  # fmt: skip
    content = []
    for kind, keyword in kinds:
        c: Context = ("standard", file, f"content {kind}")
        leaf = item(RelationshipType="CONTAINS", ValueType=kind)
        leaf.ConceptNameCodeSequence = _code(planter.word(c))
        setattr(leaf, keyword, planter.value(c, vrs[keyword]))
        add(leaf, 0x0040A032, "DT", planter.value(c, "DT"))
        box = item(RelationshipType="CONTAINS", ValueType="CONTAINER")
        box.ConceptNameCodeSequence = _code("Findings")
        box.ContentSequence = Sequence([leaf])
        content.append(box)
    c = ("standard", file, "document")
    ds.ContentSequence = Sequence(content)
    ds.ConceptNameCodeSequence = _code(planter.word(c), "18748-4")
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.CompletionFlag, ds.VerificationFlag = "COMPLETE", "VERIFIED"
    ds.CompletionFlagDescription = planter.word(c)
    ds.VerifyingObserverSequence = Sequence(
        [item(VerifyingObserverName=planter.word(c), VerifyingOrganization=planter.word(c),
              VerificationDateTime=planter.value(c, "DT"))]
    )  # fmt: skip
    ds.AuthorObserverSequence = Sequence([item(PersonName=planter.word(c))])
    save(folder, file, ds)


def _pdf(planter: Planter, folder: Path) -> None:
    file = "document.dcm"
    ds = _bare(planter, file, PDF, "DOC")
    c: Context = ("standard", file, "PDF")
    text = f"%PDF-1.4\n1 0 obj<</Title({planter.word(c)})/Author({planter.word(c)})>>\nendobj\n"
    ds.EncapsulatedDocument = text.encode() + b"%%EOF\n"
    ds.MIMETypeOfEncapsulatedDocument = "application/pdf"
    ds.DocumentTitle = planter.word(("unlisted", file, "DocumentTitle"))
    ds.BurnedInAnnotation, ds.ConversionType = "NO", "WSD"
    ds.SourceInstanceSequence = Sequence(
        [item(ReferencedSOPClassUID=SR, ReferencedSOPInstanceUID=planter.uid(c))]
    )
    save(folder, file, ds)


def _presentation(planter: Planter, folder: Path) -> None:
    file = "presentation.dcm"
    ds = _bare(planter, file, GSPS, "PR")
    c: Context = ("standard", file, "presentation state")
    ds.ContentLabel, ds.ContentDescription = planter.word(c).upper(), planter.word(c)
    ds.ContentCreatorName = planter.value(c, "PN")
    ds.PresentationCreationDate, ds.PresentationCreationTime = planter.day(c), "121314"
    graphic = item(GraphicLayer=planter.word(c).upper())
    text = item(UnformattedTextValue=planter.word(c), AnchorPointVisibility="N")
    graphic.TextObjectSequence = Sequence([text])
    ds.GraphicAnnotationSequence = Sequence([graphic])
    layer = item(GraphicLayer=planter.word(c).upper(), GraphicLayerOrder="1")
    layer.GraphicLayerDescription = planter.word(("unlisted", file, "layer"))
    ds.GraphicLayerSequence = Sequence([layer])
    save(folder, file, ds)


def _structures(planter: Planter, folder: Path) -> None:
    file = "structures.dcm"
    ds = _bare(planter, file, RTSTRUCT, "RTSTRUCT")
    c: Context = ("standard", file, "structure set")
    ds.StructureSetLabel, ds.StructureSetName = planter.word(c), planter.word(c)
    ds.StructureSetDescription, ds.StructureSetDate = planter.word(c), planter.day(c)
    ds.StructureSetTime = "121314"
    ds.StructureSetROISequence = Sequence(
        [item(ROINumber="1", ROIName=planter.word(c), ROIDescription=planter.word(c),
              ROIGenerationAlgorithm="MANUAL", ROIGenerationDescription=planter.word(c),
              ReferencedFrameOfReferenceUID=planter.uid(c))]
    )  # fmt: skip
    ds.RTROIObservationsSequence = Sequence(
        [item(ObservationNumber="1", ReferencedROINumber="1", ROIInterpreter=planter.word(c),
              ROIObservationLabel=planter.word(c), RTROIInterpretedType="ORGAN",
              ROIObservationDescription=planter.word(c))]
    )  # fmt: skip
    save(folder, file, ds)


def _waveform(planter: Planter, folder: Path) -> None:
    file = "waveform.dcm"
    ds = _bare(planter, file, ECG, "ECG")
    c: Context = ("standard", file, "waveform")
    ds.AcquisitionDateTime = planter.value(c, "DT")
    ds.WaveformAnnotationSequence = Sequence(
        [item(UnformattedTextValue=planter.word(c), AnnotationGroupNumber=0,
              ReferencedWaveformChannels=[1, 0])]
    )  # fmt: skip
    channel = item(ChannelLabel=planter.word(("unlisted", file, "channel")))
    channel.ChannelSourceSequence = _code(planter.word(("unlisted", file, "channel")))
    channel.ChannelSensitivity, channel.WaveformBitsStored = "1", 16
    group = item(WaveformOriginality="ORIGINAL", NumberOfWaveformChannels=1)
    group.MultiplexGroupLabel = planter.word(("unlisted", file, "multiplex group"))
    group.NumberOfWaveformSamples, group.SamplingFrequency = 4, "500"
    group.ChannelDefinitionSequence = Sequence([channel])
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 16, "SS"
    group.WaveformData = bytes(8)
    ds.WaveformSequence = Sequence([group])
    save(folder, file, ds)
