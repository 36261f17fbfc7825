// Plays one published asset: hls.js where the page has it, the browser's own HLS, or else an MP4.
"use strict";

const video = document.getElementById("video");
const base = video.dataset.base;
const say = (text) => { document.getElementById("status").textContent = text; };

// A token in the address of this page goes with everything that is asked for here. Playlists come back
// with it in each of their URIs, so that any player shows it, to the key server too.
const token = new URLSearchParams(location.search).get(video.dataset.token);
const query = token ? `?${video.dataset.token}=${encodeURIComponent(token)}` : "";
const at = (path) => `${base}/${path}${query}`;
for (const link of document.querySelectorAll("a.here")) link.search = query;

/** What a server said with its refusal, and with which status. */
function refusal(data) {
  const body = data.networkDetails?.response;
  const text = body instanceof ArrayBuffer ? new TextDecoder().decode(body) : body;
  const said = typeof text === "string" && text.length < 200 ? `: ${text.trim()}` : "";
  return data.response?.code ? ` (${data.response.code}${said})` : "";
}

function playWithHlsJs(playlist, instead) {
  const hls = new window.Hls();
  hls.on(window.Hls.Events.LEVEL_SWITCHED, (_, data) => {
    const level = hls.levels[data.level];
    say(`hls.js: ${level.width}x${level.height}, ${Math.round(level.bitrate / 1000)} kbit/s`);
  });
  hls.on(window.Hls.Events.ERROR, (_, data) => {
    // hls.js tries other levels first: that takes long, and changes nothing.
    const refused = data.response?.code >= 400 && data.response.code < 500;
    const why = `hls.js: ${data.details}${refusal(data)}`;
    if (refused) say(why);
    if (!data.fatal) return;
    hls.destroy();
    instead(why);
  });
  hls.loadSource(playlist);
  hls.attachMedia(video);
  window.player = hls;
}

function playNatively(playlist, instead) {
  say("Playing with the browser's own HLS.");
  playFile(playlist, (why) => instead(`the browser's own HLS: ${why}`));
}

/** Plays from an address; `failed` is told why it does not. */
function playFile(address, failed) {
  video.onerror = () => {
    video.onerror = null;
    failed(video.error?.message || `media error ${video.error?.code}`);
  };
  video.src = address;
}

/** The outputs of an asset, in a list by kind; version 1 of asset.json has a field for each. */
function outputsOf(asset) {
  if (asset.outputs) return asset.outputs;
  const of = (kind, output) => (output ? [{ kind, ...output }] : []);
  const files = asset.mp4.map((mp4) => ({ kind: "file", container: "mp4", ...mp4 }));
  return [...of("hls", asset.hls), ...files, ...of("stills", asset.thumbnails)];
}

/** The MP4s that a viewer may fetch: those below private/ are for none. */
function openMp4s(outputs) {
  const mp4s = outputs.filter((output) => output.kind === "file" && output.container === "mp4");
  return mp4s.filter((mp4) => mp4.path.split("/")[1] !== "private");
}

function playMp4(outputs, why) {
  const [mp4] = openMp4s(outputs);
  if (!mp4) return say(why);
  say(`Playing the MP4 ${mp4.name}: ${why}`);
  playFile(at(mp4.path), (error) => say(`${why}; the MP4 ${mp4.name}: ${error}`));
}

async function start() {
  const response = await fetch(at("asset.json"));
  if (!response.ok) return say(`${response.status}: ${(await response.text()).trim()}`);
  const asset = await response.json();
  const outputs = outputsOf(asset);
  const hls = outputs.find((output) => output.kind === "hls");
  const stills = outputs.find((output) => output.kind === "stills");
  const playlist = hls && at(hls.playlist);
  if (stills) video.poster = at(stills.poster.path);
  const instead = (why) => playMp4(outputs, why);
  if (playlist && window.Hls?.isSupported()) return playWithHlsJs(playlist, instead);
  if (playlist && video.canPlayType("application/vnd.apple.mpegurl")) {
    return playNatively(playlist, instead);
  }
  instead(playlist ? "this browser has no HLS" : "this asset has no HLS");
}

start().catch((error) => say(String(error)));
