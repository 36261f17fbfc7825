// What has to be true of a report, and in which words it is not.

/** Sentences about everything that is wrong; empty when all is well. */
export function judge(report, { hls, keys, expectLevels, expectGeneration, seek, expectDuration }) {
  const problems = [...played(report)];
  if (seek !== undefined && !(Math.abs(report.sought - seek) < 0.1)) {
    problems.push(`sought ${seek} s, came to ${report.sought}`);
  }
  if (expectDuration !== undefined && !(Math.abs(report.duration - expectDuration) < 0.05)) {
    problems.push(`lasts ${report.duration} s, not ${expectDuration}`);
  }
  if (expectGeneration && `${report.generations}` !== expectGeneration) {
    problems.push(`played ${report.generations}, not ${expectGeneration}`);
  }
  if (hls) problems.push(...streamed(report, keys, expectLevels), ...alternatives(report));
  else if (!report.requests.some((request) => request.status === 206)) {
    problems.push('the browser asked for no byte range');
  }
  for (const request of report.requests) {
    if (request.status >= 400 && request.path !== '/favicon.ico') {
      problems.push(`${request.path} answered ${request.status}`);
    }
  }
  return problems;
}

function* played(report) {
  for (const error of report.fatal) yield `fatal: ${error}`;
  if (!report.ended) yield `did not end: at ${report.currentTime} of ${report.duration} s`;
  if (!(Math.abs(report.currentTime - report.duration) < 0.1)) {
    yield `ended at ${report.currentTime} of ${report.duration} s`;
  }
  if (report.sizes.length > 0 && report.frames === 0) yield 'no picture was decoded';
  if (report.sizes.length === 0 && !report.audioBytes) yield 'neither picture nor sound';
  // Playing past the last fragment is what a wrong duration looks like.
  if (report.waits.some((time) => report.duration - time < 0.5)) yield 'stalled at the end';
}

function* streamed(report, keys, expectLevels) {
  const want = Math.min(expectLevels, report.segments.length);
  if (report.levelCount < expectLevels) {
    yield `${report.levelCount} levels, not ${expectLevels}`;
  }
  if (report.levels.length < want) yield `only levels ${report.levels} were shown`;
  if (report.sizes.length > 0 && report.sizes.length < want) {
    yield `the picture only had the sizes ${report.sizes}`;
  }
  for (const number of report.segments) {
    if (!report.fragments.includes(`main ${number}`)) yield `segment ${number} was never fetched`;
  }
  if (report.keysFetched.length < keys) {
    yield `${report.keysFetched.length} of ${keys} keys were fetched`;
  }
}

function* alternatives(report) {
  if (report.audioTracks.length > 1 && !(report.soundTrack > 0)) {
    yield 'the sound did not change to another language';
  }
  if (report.subtitleTracks.length > 0 && report.cues.length === 0) yield 'no subtitle was loaded';
  // A wrong X-TIMESTAMP-MAP moves them by the media's offset.
  if (report.cues.some((start) => start < 0 || start > report.duration)) {
    yield `subtitles at ${report.cues}`;
  }
}
