// Plays one published asset: hls.js where the page has it, the browser's own HLS, or else an MP4.
"use strict";

const video = document.getElementById("video");
const base = video.dataset.base;
const say = (text) => { document.getElementById("status").textContent = text; };

// The first MP4 that asset.json names, wherever in it that is.
function firstMp4(node) {
  if (typeof node === "string") return node.endsWith(".mp4") && node.includes("mp4/") ? node : null;
  if (node === null || typeof node !== "object") return null;
  for (const child of Object.values(node)) {
    const found = firstMp4(child);
    if (found) return found;
  }
  return null;
}

async function playMp4() {
  const asset = await (await fetch(`${base}/asset.json`)).json();
  const object = firstMp4(asset);
  if (!object) return say("This browser plays neither HLS nor anything else of this asset.");
  video.src = `${base}/${object}`;
  say("Playing the MP4: this browser has no HLS.");
}

function playWithHlsJs() {
  const hls = new window.Hls();
  hls.on(window.Hls.Events.LEVEL_SWITCHED, (_, data) => {
    const level = hls.levels[data.level];
    say(`hls.js: ${level.width}x${level.height}, ${Math.round(level.bitrate / 1000)} kbit/s`);
  });
  hls.on(window.Hls.Events.ERROR, (_, data) => {
    if (data.fatal) say(`hls.js: ${data.details}`);
  });
  hls.loadSource(`${base}/index.m3u8`);
  hls.attachMedia(video);
  window.player = hls;
}

async function start() {
  const published = (await fetch(`${base}/index.m3u8`, { method: "HEAD" })).ok;
  if (published && window.Hls && window.Hls.isSupported()) return playWithHlsJs();
  if (published && video.canPlayType("application/vnd.apple.mpegurl")) {
    video.src = `${base}/index.m3u8`;
    return say("Playing with the browser's own HLS.");
  }
  return playMp4();
}

start().catch((error) => say(String(error)));
