// Sessions live in a signed cookie, so that any instance on any platform can read them.
import { createHmac, timingSafeEqual } from 'node:crypto';

const key = process.env.SESSION_KEY ?? 'only-for-trying-out';

export function readSession(request) {
  const cookie = /(?:^|;\s*)session=([^;]+)/.exec(request.headers.cookie ?? '')?.[1];
  const [body, signature] = (cookie ?? '').split('.');
  if (!body || !signature) return {};
  const wanted = sign(body);
  const given = Buffer.from(signature, 'base64url');
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return {};
  return JSON.parse(Buffer.from(body, 'base64url').toString('utf8'));
}

export function writeSession(response, session) {
  const body = Buffer.from(JSON.stringify(session)).toString('base64url');
  const value = `${body}.${sign(body).toString('base64url')}`;
  response.setHeader('set-cookie', `session=${value}; Path=/; HttpOnly; SameSite=Lax`);
}

function sign(body) {
  return createHmac('sha256', key).update(body).digest();
}
