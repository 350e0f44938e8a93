import { clientFrames, closeCodes, serverFrames, subprotocol } from './protocol.ts';

/** The AsyncAPI 3 document of the live door, made of the schemas that validate its frames. */
export function asyncApi(version: string) {
  const messages = (side: string, frames: Readonly<Record<string, object>>) =>
    Object.fromEntries(
      Object.entries(frames).map(([name, payload]) => [
        `${side}.${name}`,
        { name: `${side}.${name}`, contentType: 'application/json', payload },
      ]),
    );
  const references = (side: string, frames: Readonly<Record<string, object>>) =>
    Object.keys(frames).map((name) => ({ $ref: `#/channels/live/messages/${side}.${name}` }));
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Gridfold live',
      version,
      description:
        'Live state of assets: subscribe by serial or by filter, get a snapshot and then deltas. The first frame is ' +
        `hello. Sequence numbers of a subscription have no hole that a gap does not announce. Subprotocol: ${subprotocol}.`,
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    channels: {
      live: {
        address: '/v1/live',
        messages: { ...messages('client', clientFrames), ...messages('server', serverFrames) },
        bindings: { ws: { method: 'GET' } },
        'x-subprotocols': [subprotocol],
        'x-close-codes': Object.values(closeCodes).map(({ code, doc }) => ({ code, doc })),
      },
    },
    operations: {
      receive: {
        action: 'receive',
        summary: 'What the server takes',
        channel: { $ref: '#/channels/live' },
        messages: references('client', clientFrames),
      },
      send: {
        action: 'send',
        summary: 'What the server sends',
        channel: { $ref: '#/channels/live' },
        messages: references('server', serverFrames),
      },
    },
  };
}
