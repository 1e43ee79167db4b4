// Open OHIF itself on a study of a DICOMweb server, load one object, and keep what it then holds:
// window.mjs SERVER STUDY-UID "SERIES DESCRIPTION" OUT [WHEEL-STEPS]  ->  OUT.png, OUT.json
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import puppeteer from 'puppeteer-core';

const [server, study, described, out, steps = '0'] = process.argv.slice(2);
const BROWSER = process.env.BROWSER || '/usr/bin/chromium';
const dist = path.join(import.meta.dirname, 'node_modules', '@ohif', 'app', 'dist');
const TYPES = {
  '.js': 'text/javascript', '.css': 'text/css', '.html': 'text/html', '.wasm': 'application/wasm',
  '.json': 'application/json', '.svg': 'image/svg+xml',
};
const root = '/dicom-web';
const config = {
  routerBasename: null, extensions: [], modes: [], customizationService: {}, showStudyList: true,
  maxNumberOfWebWorkers: 2, showLoadingIndicator: true, strictZSpacingForVolumeViewport: true,
  investigationalUseDialog: { option: 'never' }, defaultDataSourceName: 'dicomweb',
  dataSources: [{
    namespace: '@ohif/extension-default.dataSourcesModule.dicomweb', sourceName: 'dicomweb',
    configuration: {
      friendlyName: 'judge', name: 'judge', wadoUriRoot: root, qidoRoot: root, wadoRoot: root,
      qidoSupportsIncludeField: false, imageRendering: 'wadors', thumbnailRendering: 'wadors',
      enableStudyLazyLoad: true, supportsFuzzyMatching: false, supportsWildcard: true,
      omitQuotationForMultipartRequest: true,
    },
  }],
};

// The application and the server under one origin, on this machine alone.
function answer(request, response) {
  if (request.url.startsWith(root)) {
    const to = new URL(request.url, server);
    const asked = http.request(to, { method: request.method, headers: request.headers }, (from) => {
      response.writeHead(from.statusCode, from.headers);
      from.pipe(response);
    });
    asked.on('error', () => response.writeHead(502).end());
    request.pipe(asked);
    return;
  }
  if (request.url.startsWith('/app-config.js')) {
    response.writeHead(200, { 'content-type': 'text/javascript' });
    response.end(`window.config = ${JSON.stringify(config)};`);
    return;
  }
  let file = path.join(dist, path.normalize(decodeURIComponent(request.url.split('?')[0])));
  if (!fs.existsSync(file) || fs.statSync(file).isDirectory()) file = path.join(dist, 'index.html');
  response.writeHead(200, {
    'content-type': TYPES[path.extname(file)] || 'application/octet-stream',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
  });
  fs.createReadStream(file).pipe(response);
}
const served = http.createServer(answer).listen(0, '127.0.0.1');
await new Promise((done) => served.once('listening', done));

const browser = await puppeteer.launch({
  executablePath: BROWSER,
  args: ['--no-sandbox', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
  defaultViewport: { width: 1500, height: 900 },
});
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(120000);
  const at = `http://127.0.0.1:${served.address().port}`;
  await page.goto(`${at}/segmentation?StudyInstanceUIDs=${study}`);
  await page.waitForFunction(() => window.cornerstone?.getRenderingEngines?.()[0]?.getViewports().length);
  const label = (text) =>
    [...document.querySelectorAll('span,div')].find((e) => !e.children.length && e.textContent.trim() === text);
  await page.waitForFunction(label, {}, described);
  // Its own list of series listens late: it is asked until it has begun to load.
  const yes = () => [...document.querySelectorAll('button')].find((e) => /^yes$/i.test(e.textContent.trim()));
  for (let tries = 0; tries < 30; tries += 1) {
    const button = (await page.evaluateHandle(yes)).asElement();
    if (button) {
      await button.click();
      break;
    }
    const box = await (await page.evaluateHandle(label, described)).boundingBox();
    await page.mouse.click(box.x + 5, box.y + 5, { count: 2 });
    await new Promise((done) => setTimeout(done, 2000));
  }
  await page.waitForFunction(() => {
    const [one] = window.cornerstoneTools.segmentation.state.getSegmentations();
    const { Labelmap, Contour } = one?.representationData ?? {};
    return Labelmap?.imageIds?.length || Contour?.annotationUIDsMap?.size;
  });
  await page.mouse.move(800, 450);
  for (let n = 0; n < Number(steps); n += 1) {
    await page.mouse.wheel({ deltaY: 120 });
    await new Promise((done) => setTimeout(done, 200));
  }
  await new Promise((done) => setTimeout(done, 4000)); // for the picture alone
  await page.screenshot({ path: `${out}.png` });
  const held = await page.evaluate(() => {
    const { cache, metaData } = window.cornerstone;
    const { segmentation, annotation } = window.cornerstoneTools;
    const [one] = segmentation.state.getSegmentations();
    const { Labelmap, Contour } = one.representationData;
    const uidOf = (id) => metaData.get('sopCommonModule', id).sopInstanceUID;
    const segments = Object.values(one.segments).map((x) => [x.segmentIndex, x.label]);
    const frames = (Labelmap?.imageIds ?? []).map((id) => {
      const image = cache.getImage(id);
      const values = image.voxelManager.getScalarData();
      const runs = [];  // [start, length, value] of all that is not background
      for (let i = 0; i < values.length; i += 1) {
        const last = runs[runs.length - 1];
        if (values[i] && last && last[0] + last[1] === i && last[2] === values[i]) last[1] += 1;
        else if (values[i]) runs.push([i, 1, values[i]]);
      }
      return [uidOf(image.referencedImageId), runs];
    });
    const contours = [...(Contour?.annotationUIDsMap ?? [])].flatMap(([number, uids]) =>
      [...uids].map((uid) => {
        const found = annotation.state.getAnnotation(uid);
        return [number, uidOf(found.metadata.referencedImageId), found.data.contour.polyline];
      }),
    );
    return { segments, frames, contours };
  });
  fs.writeFileSync(`${out}.json`, JSON.stringify(held));
} finally {
  await browser.close();
  served.close();
}
