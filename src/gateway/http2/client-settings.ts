import type { FrameWriter } from './frame-writer.ts';
import * as frames from './frames.ts';
import type { SendFlow } from './send-flow.ts';
import type { StreamExchange } from './stream-exchange.ts';

/** What a client's SETTINGS change. */
export interface SettingsTaker {
  readonly writer: FrameWriter;
  readonly flow: SendFlow;
  readonly streams: Iterable<StreamExchange>;
}

/** Takes the pairs of `bytes[from..to)` over (RFC 9113 §6.5.2). The error code of the first that cannot be, or NO_ERROR. */
export function takeSettings(bytes: Buffer, from: number, to: number, taker: SettingsTaker): number {
  for (let at = from; at < to; at += 6) {
    const fault = takeSetting((bytes[at]! << 8) | bytes[at + 1]!, frames.uint32(bytes, at + 2), taker);
    if (fault !== frames.NO_ERROR) return fault;
  }
  return frames.NO_ERROR;
}

function takeSetting(name: number, value: number, { writer, flow, streams }: SettingsTaker): number {
  switch (name) {
    case frames.SETTINGS_HEADER_TABLE_SIZE:
      writer.limitTable(value);
      return frames.NO_ERROR;
    case frames.SETTINGS_ENABLE_PUSH:
      return value > 1 ? frames.PROTOCOL_ERROR : frames.NO_ERROR;
    case frames.SETTINGS_INITIAL_WINDOW_SIZE: {
      if (value > frames.MAX_WINDOW) return frames.FLOW_CONTROL_ERROR;
      const more = value - flow.streamWindow;
      flow.streamWindow = value;
      // Streams that are open get the difference, which may be negative (§6.9.2).
      for (const stream of streams) if (!stream.widen(more)) return frames.FLOW_CONTROL_ERROR;
      return frames.NO_ERROR;
    }
    case frames.SETTINGS_MAX_FRAME_SIZE:
      // Bigger ones than everybody takes gain us nothing.
      return value < frames.MAX_FRAME_BYTES || value > 0xffffff ? frames.PROTOCOL_ERROR : frames.NO_ERROR;
    default:
      return frames.NO_ERROR;
  }
}
