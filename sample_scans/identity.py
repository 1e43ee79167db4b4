"""The invented people, places and numbers that the sample scans carry, and where each one sits.

Nobody here exists. Names are Muster and Example, telephone numbers contain 555.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

PATIENT = "MUSTER^ERIKA MARLÉNE"
FOLDER = "MUSTER_ERIKA_EX-4711"


@dataclass(frozen=True)
class Plant:
    """One identity: path of its element, value, kind, and the files that carry it."""

    where: str
    value: str
    kind: str
    file: str = ""


@dataclass(frozen=True)
class Occasion:
    """What differs between the two examinations."""

    folder: str
    number: int
    date: str
    later: str
    accession: str
    radiologist: str


FIRST = Occasion("ct_abdomen", 1, "20250314", "20250315", "EXACC2025-0314", "EXAMPLE^GÖSTA^^DR")
LATER = Occasion(
    "ct_abdomen_followup", 2, "20260312", "20260313", "EXACC2026-0312", "EXAMPLE^INÈS^^DR"
)


def uid(text: str) -> str:
    """Return a UID of the 2.25 branch made from the SHA-256 of `text`."""
    digest = int.from_bytes(
        hashlib.sha256(b"napari-medlabel sample " + text.encode()).digest()[:16]
    )
    return f"2.25.{digest}"


_NAMES = """
PatientName=MUSTER^ERIKA MARLÉNE
OtherPatientNames=MUSTERFRAU^RIKA
PatientBirthName=EXAMPLE-GRÖSSER^ERIKA
PatientMotherBirthName=SPECIMEN^WALTRAUD
ReferringPhysicianName=HAUSARZT-MUSTER^JÜRGEN^^DR
ConsultingPhysicianName=CONSULTANT-EXAMPLE^BEA
PhysiciansOfRecord=RECORD-EXAMPLE^OTTO
PerformingPhysicianName=PERFORMER-EXAMPLE^LENE
NameOfPhysiciansReadingStudy={radiologist}
OperatorsName=OPERATOR-MUSTER^BJÖRN
RequestingPhysician=REQUESTER-EXAMPLE^KIM
ResponsiblePerson=GUARDIAN-MUSTER^MAX
ScheduledPerformingPhysicianName=SCHEDULED-EXAMPLE^UMA
NamesOfIntendedRecipientsOfResults=RECIPIENT-EXAMPLE^PIA
ReviewerName=REVIEWER-EXAMPLE^ROY
"""
_IDS = """
PatientID=EX-4711-0815
IssuerOfPatientID=EXAMPLE-HIS-MUSTERSTADT
OtherPatientIDs=EX-OLD-112233
MedicalRecordLocator=EX-SHELF-77-B
AdmissionID=EX-ADM-90210
IssuerOfAdmissionID=EX-ADM-ISSUER
ServiceEpisodeID=EX-EPISODE-55
ServiceEpisodeDescription=EX EPISODE OF ERIKA MUSTER
StudyID=EXST{number}471
AccessionNumber={accession}
RequestedProcedureID=EXRP{number}5512
ScheduledProcedureStepID=EXSPS{number}881
PerformedProcedureStepID=EXPPS{number}882
PlacerOrderNumberImagingServiceRequest=EXPLACER-{number}-3021
FillerOrderNumberImagingServiceRequest=EXFILLER-{number}-3022
PatientInsurancePlanCodeSequence/CodeValue=EXPLAN-88
PatientInsurancePlanCodeSequence/CodingSchemeDesignator=99EXAMPLE
PatientInsurancePlanCodeSequence/CodeMeaning=EXAMPLE HEALTH PLAN MUSTERSTADT
ReferencedPatientSequence/ReferencedSOPInstanceUID=@uid referenced patient
ClinicalTrialSponsorName=EXAMPLE TRIAL SPONSOR LTD
ClinicalTrialProtocolID=EXTRIAL-2025-01
ClinicalTrialProtocolName=EXAMPLE LIVER TRIAL
ClinicalTrialSiteID=EXSITE-09
ClinicalTrialSiteName=MUSTERSTADT SITE
ClinicalTrialSubjectID=EXSUBJECT-0042
ClinicalTrialTimePointDescription=EX VISIT {number} MUSTER
"""
_PLACES = """
PatientAddress=MUSTERWEG 12, 99999 MUSTERSTADT
PatientTelephoneNumbers=+49 555 0147 11
PatientTelecomInformation=mailto:erika.muster@example.org
CountryOfResidence=EXAMPLELAND
RegionOfResidence=MUSTERREGION
PatientReligiousPreference=EXAMPLE FAITH
Occupation=EX GLASSBLOWER
EthnicGroup=EXAMPLE GROUP
MilitaryRank=EXAMPLE SERGEANT
BranchOfService=EXAMPLE NAVY
InstitutionName=ST. EXAMPLE HOSPITAL MUSTERSTADT
InstitutionAddress=EXAMPLE ROAD 555, MUSTERSTADT
InstitutionalDepartmentName=RADIOLOGIE HÄUSCHEN 7
ReferringPhysicianAddress=PRAXISGASSE 5, MUSTERDORF
ReferringPhysicianTelephoneNumbers=+49 555 0199 22
CurrentPatientLocation=WARD 5B BED EX-3
PatientInstitutionResidence=RESIDENZ MUSTERPARK
OrderCallbackPhoneNumber=+49 555 0123 99
OrderEntererLocation=EX COUNTER 4
ScheduledProcedureStepLocation=EX ROOM CT-2
PerformedLocation=EX CONTROL ROOM
InstitutionCodeSequence/CodeValue=EXINST-1
InstitutionCodeSequence/CodingSchemeDesignator=99EXAMPLE
InstitutionCodeSequence/CodeMeaning=ST. EXAMPLE CODE HOSPITAL
"""
_DEVICES = """
StationName=EXCT2-MUSTER
DeviceSerialNumber=EXSN-000555
DeviceUID=@uid device
GantryID=EXGANTRY-9
DetectorID=EXDETECTOR-5
PlateID=EXPLATE-6
CassetteID=EXCASS-7
PerformedStationAETitle=EXSTATION_AE
PerformedStationName=EXPERF-STATION
ScheduledStationAETitle=EXSCHED_AE
ScheduledStationName=EXSCHED-STATION
RetrieveAETitle=EXRETRIEVE_AE
ScheduledStudyLocation=EX STUDY LOCATION 3
DateOfLastCalibration=20240229
TimeOfLastCalibration=061500
ContributingEquipmentSequence/Manufacturer=Example Devices
ContributingEquipmentSequence/InstitutionName=ST. EXAMPLE ARCHIVE HOUSE
ContributingEquipmentSequence/StationName=EXARCHIVE-1
ContributingEquipmentSequence/DeviceSerialNumber=EXSN-ARCHIVE-77
ContributingEquipmentSequence/OperatorsName=ARCHIVIST-EXAMPLE^TOM
ContributingEquipmentSequence/ContributionDateTime={later}081533
ContributingEquipmentSequence/PurposeOfReferenceCodeSequence/CodeMeaning=EX PURPOSE MUSTER
"""
_DATES = """
PatientBirthDate=19630412
PatientBirthTime=041107
StudyDate={date}
SeriesDate={date}
AcquisitionDate={date}
ContentDate={date}
StudyTime=101502.250000
SeriesTime=101731.500000
AcquisitionTime=101744.750000
ContentTime=101759.125000
AcquisitionDateTime={date}101744.750000
InstanceCreationDate={later}
InstanceCreationTime=063011.875000
PerformedProcedureStepStartDate={date}
PerformedProcedureStepStartTime=101455
PerformedProcedureStepEndDate={date}
PerformedProcedureStepEndTime=102713
ScheduledProcedureStepStartDate={date}
ScheduledProcedureStepStartTime=100007
IssueDateOfImagingServiceRequest=20250227
IssueTimeOfImagingServiceRequest=163429
AdmittingDate=20250311
AdmittingTime=084923
LastMenstrualDate=20101118
TimezoneOffsetFromUTC=+0137
"""
_TEXTS = """
StudyDescription=CT ABDOMEN OF ERIKA MUSTER
SeriesDescription=PV 5.0 MUSTER ERIKA
ProtocolName=EXAMPLE ABDOMEN PV FOR MUSTER
ImageComments=CALL FRAU MUSTER AT 555-0147
PatientComments=ERIKA MUSTER IS AFRAID OF NEEDLES
StudyComments=SEEN WITH DR EXAMPLE, MUSTERSTADT
AdditionalPatientHistory=MUSTER FELL FROM A LADDER IN EXAMPLEVILLE
MedicalAlerts=ALERT EX-NICKEL MUSTER
Allergies=EXAMPLE POLLEN OF MUSTERSTADT
PatientState=EX STATE CALM
SpecialNeeds=EX WHEELCHAIR 555
PregnancyStatus=@number 4
ReasonForStudy=EX REASON SUSPECTED LESION OF MUSTER
RequestedProcedureDescription=EX CT FOR ERIKA MUSTER
RequestedProcedureComments=EX PLEASE SEND CD TO MUSTERWEG
ReasonForTheRequestedProcedure=EX FOLLOW UP OF MUSTER
PerformedProcedureStepDescription=EX STEP FOR MUSTER
CommentsOnThePerformedProcedureStep=EX REPEATED SCAN OF FRAU MUSTER
AcquisitionComments=EX BREATHED BADLY, MUSTER
AcquisitionProtocolDescription=EX PROTOCOL TEXT MUSTERSTADT
DerivationDescription=EX RECONSTRUCTED BY BJÖRN
ImagePresentationComments=EX PRESENTATION MUSTER
ContrastBolusAgent=EXAMPLE CONTRAST 300
InterpretationText=EX INTERPRETATION OF MUSTER
Impressions=EX IMPRESSION STABLE MUSTER
TextComments=EX TEXT COMMENT MUSTER
VisitComments=EX VISIT COMMENT MUSTER
AdmittingDiagnosesDescription=EX DIAGNOSIS LADDER FALL
ImagingServiceRequestComments=EX ORDER COMMENT FOR MUSTER
"""
_NESTED = """
OtherPatientIDsSequence/PatientID=EX-NESTED-6001
OtherPatientIDsSequence/IssuerOfPatientID=EX-NESTED-ISSUER
OtherPatientIDsSequence/TypeOfPatientID=TEXT
OtherPatientIDsSequence/IssuerOfPatientIDQualifiersSequence/UniversalEntityID=ex-hospital.example.org
OtherPatientIDsSequence/IssuerOfPatientIDQualifiersSequence/UniversalEntityIDType=DNS
OtherPatientIDsSequence/IssuerOfPatientIDQualifiersSequence/AssigningFacilitySequence/LocalNamespaceEntityID=EX-FACILITY-L3
IssuerOfAccessionNumberSequence/LocalNamespaceEntityID=EX-ACCESSION-ISSUER
RequestAttributesSequence/RequestedProcedureID=EX-NRP-{number}-71
RequestAttributesSequence/RequestedProcedureDescription=EX NESTED CT OF MUSTER
RequestAttributesSequence/ScheduledProcedureStepID=EX-NSPS-{number}-72
RequestAttributesSequence/AccessionNumber=EXNACC{number}-73
RequestAttributesSequence/ScheduledProcedureStepDescription=EX NESTED STEP MUSTER
RequestAttributesSequence/StudyInstanceUID=@uid requested study {number}
RequestAttributesSequence/RequestedProcedureCodeSequence/CodeMeaning=EX NESTED CODE MUSTER
RequestAttributesSequence/ScheduledProtocolCodeSequence/CodeMeaning=EX PROTOCOL CODE MUSTER
RequestAttributesSequence/ScheduledProtocolCodeSequence/ProtocolContextSequence/TextValue=EX LEVEL3 TELL ERIKA MUSTER
RequestAttributesSequence/ScheduledProtocolCodeSequence/ProtocolContextSequence/ContentItemModifierSequence/TextValue=EX LEVEL4 RING 555-0199
ReferencedStudySequence/ReferencedSOPClassUID=@class 1.2.840.10008.3.1.2.3.1
ReferencedStudySequence/ReferencedSOPInstanceUID=@uid referenced study
ReferencedPerformedProcedureStepSequence/ReferencedSOPClassUID=@class 1.2.840.10008.3.1.2.3.3
ReferencedPerformedProcedureStepSequence/ReferencedSOPInstanceUID=@uid referenced step {number}
ReferencedImageSequence/ReferencedSOPClassUID=@class 1.2.840.10008.5.1.4.1.1.2
ReferencedImageSequence/ReferencedSOPInstanceUID=@uid scout {number}
ReferencedImageSequence/PurposeOfReferenceCodeSequence/CodeMeaning=EX LOCALIZER OF MUSTER
ProcedureCodeSequence/CodeValue=EXPROC-5
ProcedureCodeSequence/CodingSchemeDesignator=99EXAMPLE
ProcedureCodeSequence/CodeMeaning=EX ABDOMEN FOR MUSTER
OriginalAttributesSequence/SourceOfPreviousValues=EX-PREVIOUS-PACS
OriginalAttributesSequence/AttributeModificationDateTime={later}143015
OriginalAttributesSequence/ModifyingSystem=EX-MODIFIER-MUSTER
OriginalAttributesSequence/ReasonForTheAttributeModification=CORRECT
OriginalAttributesSequence/ModifiedAttributesSequence/PatientName=FORMERLY-EXAMPLE^ERIKA
OriginalAttributesSequence/ModifiedAttributesSequence/PatientID=EX-FORMER-9911
OriginalAttributesSequence/ModifiedAttributesSequence/PatientBirthDate=19630421
OriginalAttributesSequence/ModifiedAttributesSequence/OtherPatientIDsSequence/PatientID=EX-DEEP-3131
OriginalAttributesSequence/ModifiedAttributesSequence/OtherPatientIDsSequence/IssuerOfPatientIDQualifiersSequence/UniversalEntityID=deep.example.org
ReferringPhysicianIdentificationSequence/InstitutionName=EX PRACTICE DR HAUSARZT
ReferringPhysicianIdentificationSequence/PersonAddress=EX PERSON ADDRESS 5
ReferringPhysicianIdentificationSequence/PersonTelephoneNumbers=+49 555 0166 33
ReferringPhysicianIdentificationSequence/PersonIdentificationCodeSequence/CodeValue=EXDOC-17
ReferringPhysicianIdentificationSequence/PersonIdentificationCodeSequence/CodeMeaning=EX DR JÜRGEN HAUSARZT
OperatorIdentificationSequence/InstitutionName=EX OPERATOR HOUSE
OperatorIdentificationSequence/PersonIdentificationCodeSequence/CodeMeaning=EX OPERATOR BJÖRN M.
PerformingPhysicianIdentificationSequence/InstitutionName=EX PERFORMER HOUSE
PerformingPhysicianIdentificationSequence/PersonIdentificationCodeSequence/CodeMeaning=EX PERFORMER LENE
ActualHumanPerformersSequence/HumanPerformerName=HUMAN-EXAMPLE^IDA
ActualHumanPerformersSequence/HumanPerformerOrganization=EX ORGANISATION OF IDA
ActualHumanPerformersSequence/HumanPerformerCodeSequence/CodeMeaning=EX IDA CODE
AdmittingDiagnosesCodeSequence/CodeMeaning=EX DIAGNOSIS CODE MUSTER
ResponsibleOrganization=EX ORGANISATION MUSTER
CustodialOrganizationSequence/InstitutionName=EX CUSTODIAN HOUSE
"""  # noqa: E501
_UIDS = """
StudyInstanceUID=@uid study {number}
SeriesInstanceUID=@uid series {number}
FrameOfReferenceUID=@uid frame {number}
SynchronizationFrameOfReferenceUID=@uid synchronization {number}
IrradiationEventUID=@uid irradiation {number}
InstanceCreatorUID=@uid creator
"""
_BLOCKS = (
    ("name", _NAMES),
    ("id", _IDS),
    ("place", _PLACES),
    ("device", _DEVICES),
    ("date", _DATES),
    ("text", _TEXTS),
    ("nested", _NESTED),
    ("uid", _UIDS),
)
# values that stay or that are too short to search for are written but not listed
UNLISTED = ("TEXT", "DNS", "CORRECT", "99EXAMPLE", "Example Devices")


def plants(occasion: Occasion) -> list[Plant]:
    """Return every planted element of one CT series as path, value and kind."""
    fields = {name: getattr(occasion, name) for name in occasion.__dataclass_fields__}
    found = []
    for kind, block in _BLOCKS:
        for line in block.strip().splitlines():
            where, value = line.split("=", 1)
            value = value.format(**fields)
            if value.startswith("@uid "):
                found.append(Plant(where, uid(value[5:]), "uid"))
            elif value.startswith("@"):
                found.append(Plant(where, value.split(" ", 1)[1], "unlisted"))
            else:
                found.append(Plant(where, value, "unlisted" if value in UNLISTED else kind))
    return found
