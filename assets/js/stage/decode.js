// Decoding pictures and films; the laboratory's grid uses it too. Names nothing of the page.
const SEEK_PATIENCE = 400; // ms after which "sought" is enough; hidden tabs never present a picture
const OPEN_PATIENCE = 1500; // ms before a video that does not load is asked to play

function loadImage(src) {
  const image = new Image();
  image.src = src;
  return image.decode().then(() => image);
}

// Seek to the middle of a moment, then wait until the browser says that its picture is presented.
// Where requestVideoFrameCallback is missing, "seeked" must do.
function seek(video, time, tolerance, signal) {
  return new Promise((resolve, reject) => {
    let sought = false;
    let presented = !video.requestVideoFrameCallback;
    const over = new AbortController();
    const finish = () => {
      clearTimeout(patience);
      over.abort();
      resolve();
    };
    const check = () => sought && presented && finish();
    const patience = setTimeout(() => ((presented = true), check()), SEEK_PATIENCE);
    const look = () =>
      video.requestVideoFrameCallback((now, picture) => {
        if (over.signal.aborted) return;
        presented = Math.abs(picture.mediaTime - time) < tolerance;
        presented ? check() : look();
      });
    if (!presented) look();
    video.addEventListener("seeked", () => ((sought = true), check()), { signal: over.signal });
    signal.addEventListener(
      "abort",
      () => (clearTimeout(patience), over.abort(), reject(signal.reason)),
      { signal: over.signal },
    );
    video.currentTime = time;
  });
}

function opened(video, url, signal) {
  return new Promise((resolve, reject) => {
    const over = new AbortController();
    const leave = (how, what) => {
      clearTimeout(nudge);
      over.abort();
      video.pause();
      how(what);
    };
    // phones that save power load nothing until a video plays; a muted one may
    const nudge = setTimeout(() => video.play().catch(() => {}), OPEN_PATIENCE);
    const once = { signal: over.signal };
    video.addEventListener("loadeddata", () => leave(resolve), once);
    video.addEventListener("error", () => leave(reject, new Error("not playable")), once);
    signal.addEventListener("abort", () => leave(reject, signal.reason), once);
    video.src = url;
    video.load();
  });
}
