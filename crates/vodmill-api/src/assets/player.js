// Plays one published asset: hls.js where the page has it, the browser's own HLS, or else an MP4.
"use strict";

const video = document.getElementById("video");
const base = video.dataset.base;
const say = (text) => { document.getElementById("status").textContent = text; };

function playWithHlsJs(playlist) {
  const hls = new window.Hls();
  hls.on(window.Hls.Events.LEVEL_SWITCHED, (_, data) => {
    const level = hls.levels[data.level];
    say(`hls.js: ${level.width}x${level.height}, ${Math.round(level.bitrate / 1000)} kbit/s`);
  });
  hls.on(window.Hls.Events.ERROR, (_, data) => {
    if (data.fatal) say(`hls.js: ${data.details}`);
  });
  hls.loadSource(playlist);
  hls.attachMedia(video);
  window.player = hls;
}

async function start() {
  const asset = await (await fetch(`${base}/asset.json`)).json();
  const playlist = asset.hls && `${base}/${asset.hls.playlist}`;
  if (asset.thumbnails) video.poster = `${base}/${asset.thumbnails.poster.path}`;
  if (playlist && window.Hls && window.Hls.isSupported()) return playWithHlsJs(playlist);
  if (playlist && video.canPlayType("application/vnd.apple.mpegurl")) {
    video.src = playlist;
    return say("Playing with the browser's own HLS.");
  }
  if (asset.mp4.length === 0) return say("This browser can play nothing of this asset.");
  video.src = `${base}/${asset.mp4[0].path}`;
  say(`Playing the MP4 ${asset.mp4[0].name}: there is no HLS, or this browser has none.`);
}

start().catch((error) => say(String(error)));
