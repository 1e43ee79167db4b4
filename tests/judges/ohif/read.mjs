// Read a DICOM SEG or RTSTRUCT as OHIF does, and print what it would show: read.cjs OBJECT IMAGES...
import fs from 'node:fs';
import { adaptersSEG } from '@cornerstonejs/adapters';
import { metaData } from '@cornerstonejs/core';
import dcmjs from 'dcmjs';

const { DicomMessage, DicomMetaDictionary } = dcmjs.data;
const [object, ...images] = process.argv.slice(2);

function bytesOf(path) {
  const found = fs.readFileSync(path);
  return found.buffer.slice(found.byteOffset, found.byteOffset + found.byteLength);
}

function datasetOf(path) {
  const read = DicomMessage.readFile(bytesOf(path));
  const dataset = DicomMetaDictionary.naturalizeDataset(read.dict);
  dataset._meta = DicomMetaDictionary.namifyDataset(read.meta);
  return dataset;
}

// What OHIF's metadata provider tells of an image.
const known = new Map(images.map((path, n) => [`scan:${n}`, datasetOf(path)]));
const modules = {
  instance: (one) => one,
  generalImageModule: (one) => ({ sopInstanceUID: one.SOPInstanceUID }),
  generalSeriesModule: (one) => ({ seriesInstanceUID: one.SeriesInstanceUID }),
  imagePixelModule: () => ({ bitsAllocated: 8, bitsStored: 8, highBit: 7, pixelRepresentation: 0 }),
  imagePlaneModule(one) {
    const orientation = one.ImageOrientationPatient.map(Number);
    const [row, column] = one.PixelSpacing.map(Number);
    return {
      frameOfReferenceUID: one.FrameOfReferenceUID,
      rows: one.Rows,
      columns: one.Columns,
      imageOrientationPatient: orientation,
      rowCosines: orientation.slice(0, 3),
      columnCosines: orientation.slice(3),
      imagePositionPatient: one.ImagePositionPatient.map(Number),
      pixelSpacing: [row, column],
      rowPixelSpacing: row,
      columnPixelSpacing: column,
    };
  },
};
const added = new Map();
metaData.addProvider((type, id) => {
  const one = known.get(id);
  return one && modules[type] ? modules[type](one) : added.get(`${type} ${id}`);
}, 1000);
const provider = {
  get: (type, id) => metaData.get(type, id),
  addInstance: (id, one) => added.set(`instance ${id}`, one),
};

async function segmentation() {
  const ids = [...known.keys()];
  const { createFromDICOMSegBuffer } = adaptersSEG.Cornerstone3D.Segmentation;
  const read = await createFromDICOMSegBuffer(ids, bytesOf(object), { metadataProvider: provider });
  const frames = [];
  for (const layer of read.labelMapImages) {
    for (const image of Array.isArray(layer) ? layer : [layer]) {
      const uid = known.get(image.referencedImageId).SOPInstanceUID;
      const values = image.voxelManager.getScalarData();
      frames.push([uid, Buffer.from(values).toString('base64')]);
    }
  }
  const segments = read.segMetadata.data
    .slice(1)
    .map((one) => ({ number: Number(one.SegmentNumber), name: one.SegmentLabel }));
  return { segments, frames, overlap: read.overlappingSegments };
}

// As loadRTStruct of its extension cornerstone-dicom-rt, which npm has in @ohif/app alone.
function structures() {
  const one = datasetOf(object);
  const list = (x) => (Array.isArray(x) ? x : [x]);
  return list(one.ROIContourSequence)
    .filter((roi) => roi.ContourSequence)
    .map((roi) => {
      const told = list(one.StructureSetROISequence).find((x) => x.ROINumber === roi.ReferencedROINumber);
      return {
        number: told.ROINumber,
        name: told.ROIName,
        colour: roi.ROIDisplayColor,
        contours: list(roi.ContourSequence).map((x) => [
          list(x.ContourImageSequence)[0].ReferencedSOPInstanceUID,
          x.ContourGeometricType,
          x.NumberOfContourPoints,
          x.ContourData.map(Number),
        ]),
      };
    });
}

const answer = datasetOf(object).Modality === 'SEG' ? segmentation() : Promise.resolve(structures());
answer.then((found) => process.stdout.write(JSON.stringify(found)));
