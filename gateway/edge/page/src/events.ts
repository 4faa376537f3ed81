// A subscription over Server-Sent Events: a GraphQL result each `next`, until `complete`.

/** Whether the response is such a stream; else it is a plain answer that says why not. */
export const isStream = (response: Response): boolean =>
  response.body !== null && (response.headers.get("content-type")?.startsWith("text/event-stream") ?? false);

/** The results; at the end, whether the stream was whole rather than broken off. */
export async function* results(response: Response): AsyncGenerator<object, boolean> {
  const pieces = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let piece = await pieces.read(); !piece.done; piece = await pieces.read()) {
    const events = (text + piece.value).split("\n\n");
    text = events.pop()!;
    for (const event of events) {
      if (event.startsWith("event: complete")) return true;
      if (event.startsWith("event: next\n")) yield JSON.parse(event.slice(event.indexOf("data: ") + 6));
    }
  }
  return false;
}
