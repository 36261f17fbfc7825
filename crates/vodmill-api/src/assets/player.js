// Plays one published asset: hls.js where the page has it, the browser's own HLS, or else an MP4.
"use strict";

const video = document.getElementById("video");
const base = video.dataset.base;
const say = (text) => { document.getElementById("status").textContent = text; };

// A token in the address of this page is for the key server, and for nobody else.
const token = new URLSearchParams(location.search).get("token");

function showToken(request, url) {
  if (!token || !new URL(url, location).pathname.startsWith("/k/")) return;
  request.open("GET", url, true);
  request.setRequestHeader("Authorization", `Bearer ${token}`);
}

/** What a server said with its refusal, and with which status. */
function refusal(data) {
  const body = data.networkDetails?.response;
  const text = body instanceof ArrayBuffer ? new TextDecoder().decode(body) : body;
  const said = typeof text === "string" && text.length < 200 ? `: ${text.trim()}` : "";
  return data.response?.code ? ` (${data.response.code}${said})` : "";
}

function playWithHlsJs(playlist) {
  const hls = new window.Hls({ xhrSetup: showToken });
  hls.on(window.Hls.Events.LEVEL_SWITCHED, (_, data) => {
    const level = hls.levels[data.level];
    say(`hls.js: ${level.width}x${level.height}, ${Math.round(level.bitrate / 1000)} kbit/s`);
  });
  hls.on(window.Hls.Events.ERROR, (_, data) => {
    // hls.js tries other levels first: that takes long, and changes nothing.
    const refused = data.response?.code >= 400 && data.response.code < 500;
    if (data.fatal || refused) say(`hls.js: ${data.details}${refusal(data)}`);
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
