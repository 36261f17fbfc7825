// Runs in the browser: plays one thing to its end and reports what happened on the way.

const video = document.getElementById('video');

/** What the element itself tells, the same for HLS and files. */
function watchElement(report) {
  const size = () => {
    if (video.videoWidth) report.sizes.add(`${video.videoWidth}x${video.videoHeight}`);
  };
  video.addEventListener('resize', size);
  video.addEventListener('loadedmetadata', size);
  video.addEventListener('waiting', () => report.waits.push(video.currentTime));
  video.addEventListener('error', () => report.fatal.push(`element: ${video.error?.message}`));
}

function newReport() {
  return { sizes: new Set(), waits: [], fatal: [], errors: [] };
}

/** Plays until `ended`, a fatal error, or no media progress for `patience` milliseconds. */
function playToEnd(report, patience) {
  return new Promise((resolve) => {
    let reached = -1;
    let since = performance.now();
    const timer = setInterval(() => {
      if (video.currentTime > reached) {
        reached = video.currentTime;
        since = performance.now();
      }
      const stuck = performance.now() - since > patience;
      if (stuck) report.fatal.push(`no progress beyond ${reached} s`);
      if (stuck || report.fatal.length > 0) finish();
    }, 250);
    const finish = () => {
      clearInterval(timer);
      resolve();
    };
    video.addEventListener('ended', finish, { once: true });
    video.play().catch((error) => report.fatal.push(`play: ${error.message}`));
  });
}

function close(report) {
  const quality = video.getVideoPlaybackQuality();
  return {
    ...report,
    sizes: [...report.sizes],
    ended: video.ended,
    currentTime: video.currentTime,
    duration: video.duration,
    audioBytes: video.webkitAudioDecodedByteCount,
    frames: quality.totalVideoFrames,
    dropped: quality.droppedVideoFrames,
  };
}

/** Plays a file as the browser itself does it. */
window.playFile = async ({ url, rate, seek, patience }) => {
  const report = newReport();
  watchElement(report);
  video.src = url;
  video.playbackRate = rate;
  if (seek !== undefined) {
    await new Promise((resolve) => video.addEventListener('loadedmetadata', resolve, { once: true }));
    video.currentTime = seek;
    await new Promise((resolve) => video.addEventListener('seeked', resolve, { once: true }));
    report.sought = video.currentTime;
  }
  await playToEnd(report, patience);
  return close(report);
};

/** Plays HLS by hls.js, going round the levels and once to another sound and to subtitles. */
window.playHls = async ({ url, rate, token, hold, patience }) => {
  const seen = { levels: new Set(), fragments: new Set(), generations: new Set() };
  const report = { ...newReport(), ...seen, cues: [] };
  watchElement(report);
  const bounds = { startLevel: 0, maxBufferLength: 8, maxMaxBufferLength: 8 };
  const hls = new Hls({ ...bounds, ...(token && { xhrSetup: showTo(new URL(url).origin, token) }) });
  watchHls(hls, report);
  hls.loadSource(url);
  hls.attachMedia(video);
  const parsed = await Promise.race([once(hls, Hls.Events.MANIFEST_PARSED), failure(hls)]);
  if (!parsed) return close(withTracks(hls, report));
  if (hold) {
    await once(hls, Hls.Events.FRAG_BUFFERED);
    hls.stopLoad();
    await window.released();
    hls.startLoad();
  }
  video.playbackRate = rate;
  await playToEnd(report, patience);
  return close(withTracks(hls, report));
};

/** Shows a token to one server, and to nobody else. */
function showTo(origin, token) {
  return (request, url) => {
    if (new URL(url).origin !== origin) return;
    request.open('GET', url, true);
    request.setRequestHeader('Authorization', `Bearer ${token}`);
  };
}

function once(hls, event) {
  return new Promise((resolve) => hls.once(event, () => resolve(true)));
}

function failure(hls) {
  return new Promise((resolve) => {
    hls.on(Hls.Events.ERROR, (_, data) => data.fatal && resolve(false));
  });
}

function watchHls(hls, report) {
  hls.on(Hls.Events.ERROR, (_, data) => {
    const status = data.response?.code ? ` HTTP ${data.response.code}` : '';
    const reason = `${data.reason ?? data.error?.message ?? ''} ${answered(data.networkDetails)}`;
    const text = `${data.type} ${data.details}${status} ${reason}`;
    (data.fatal ? report.fatal : report.errors).push(text);
  });
  hls.on(Hls.Events.FRAG_BUFFERED, (_, { frag }) => {
    if (frag.sn !== 'initSegment') report.fragments.add(`${frag.type} ${frag.sn}`);
    const generation = /\/(g\d{4,}(?:r\d+)?-[0-9a-f]{8})\//.exec(frag.url)?.[1];
    if (generation) report.generations.add(generation);
  });
  hls.on(Hls.Events.FRAG_PARSED, (_, { frag }) => {
    // Every rung gets its turn, however fast or slow this machine plays: said while no fragment is
    // on its way, as choosing a level aborts one that is.
    if (frag.type === 'main') hls.nextLoadLevel = (frag.level + 1) % hls.levels.length;
  });
  hls.on(Hls.Events.FRAG_CHANGED, (_, { frag }) => {
    report.levels.add(frag.level);
    switchAlternatives(hls, report);
  });
  hls.on(Hls.Events.AUDIO_TRACK_SWITCHED, (_, { id }) => (report.soundTrack = id));
}

/** What a server said with its refusal. */
function answered(request) {
  const body = request instanceof XMLHttpRequest ? request.response : undefined;
  const text = body instanceof ArrayBuffer ? new TextDecoder().decode(body) : body;
  return typeof text === 'string' ? text.trim().slice(0, 200) : '';
}

/** Once, in the middle of playing: to the last language, and to the first subtitles. */
function switchAlternatives(hls, report) {
  if (report.asked) return;
  report.asked = true;
  if (hls.audioTracks.length > 1) hls.audioTrack = hls.audioTracks.length - 1;
  if (hls.subtitleTracks.length > 0) {
    hls.subtitleDisplay = true;
    hls.subtitleTrack = 0;
  }
}

function withTracks(hls, report) {
  const tracks = [...video.textTracks];
  const details = hls.levels?.[hls.currentLevel]?.details;
  return {
    ...report,
    levels: [...report.levels],
    levelCount: hls.levels?.length ?? 0,
    fragments: [...report.fragments],
    generations: [...report.generations],
    segments: details?.fragments.map((fragment) => fragment.sn) ?? [],
    audioTracks: hls.audioTracks.map((track) => track.name),
    subtitleTracks: hls.subtitleTracks.map((track) => track.name),
    cues: tracks.flatMap((track) => [...(track.cues ?? [])].map((cue) => cue.startTime)),
  };
}
