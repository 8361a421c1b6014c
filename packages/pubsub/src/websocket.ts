export type { BridgePubSub, BridgeSubscribeOptions, WebSocketBridgeOptions } from "./websocket/bridge-options.ts";
export type { ClientFrame } from "./websocket/client-frame.ts";
export type { ControlFrame, FrameErrorCode, FrameGapReason, GapFrame } from "./websocket/server-frame.ts";
export type { ServerSocket } from "./websocket/server-socket.ts";
export type { WebSocketBridge, WebSocketBridgeStats } from "./websocket/websocket-bridge.ts";
export { createWebSocketBridge } from "./websocket/websocket-bridge.ts";
