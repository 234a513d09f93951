;; The field lines of a head, sixteen octets at a time. `octet-scan.ts` holds the assembled bytes and says what for;
;; after a change here run `npm run wasm`. A load may read up to forty octets beyond `$end`, and nothing
;; is concluded from them: the memory goes on there.
(module
  (memory (export "memory") 3)

  (global $lines i32 (i32.const 0x12000))
  (global $kinds i32 (i32.const 0x13800))
  (global $notable i32 (i32.const 0x13a00))
  (global $index i32 (i32.const 0x13c00))
  (global $names i32 (i32.const 0x14000))

  ;; Lines as nearly all are: a name, a colon, one space or none, a value with no space around it, CRLF. Puts four
  ;; offsets from $base each at $lines: name from, to, value from, to; at $kinds what fields they are, and at $notable
  ;; which of them are not ordinary. Behind the last line stand where the section ends, how many kinds have to be asked
  ;; for, whether a Cookie has to be looked at, and how many are notable. Returns how many lines, or -1 when it met
  ;; anything else, the end of what has come included: then somebody more patient has to look.
  ;;
  ;; All in one function, because a call costs as much as half of what is done for a line.
  (func (export "fieldLines") (param $base i32) (param $at i32) (param $end i32) (param $most i32) (result i32)
    (local $octets v128)
    (local $others i32)
    (local $nameTo i32)
    (local $length i32)
    (local $valueFrom i32)
    (local $lineEnd i32)
    (local $known i32)
    (local $kind i32)
    (local $asks i32)
    (local $notables i32)
    (local $suspects v128)
    (local $count i32)
    (local $out i32)
    (local.set $out (global.get $lines))
    (loop $line
      (if (i32.ge_u (i32.add (local.get $at) (i32.const 1)) (local.get $end))
        (then (return (i32.const -1))))
      ;; CRLF, as a little-endian pair
      (if (i32.eq (i32.load16_u (local.get $at)) (i32.const 0x0a0d))
        (then
          (i32.store (local.get $out)
            (i32.sub (i32.add (local.get $at) (i32.const 2)) (local.get $base)))
          (i32.store offset=4 (local.get $out) (local.get $asks))
          (i32.store offset=8 (local.get $out) (v128.any_true (local.get $suspects)))
          (i32.store offset=12 (local.get $out) (local.get $notables))
          (return (local.get $count))))
      (if (i32.eq (local.get $count) (local.get $most))
        (then (return (i32.const -1))))

      ;; Where the name ends: the first octet that belongs in no token (RFC 9110 §5.6.2). The low half of an octet picks
      ;; a row that says by which high halves it is a token character, one bit each.
      (local.set $nameTo (local.get $at))
      (loop $name
        (local.set $octets (v128.load (local.get $nameTo)))
        (local.set $others
          (i8x16.bitmask
            (i8x16.eq
              (v128.and
                (i8x16.swizzle
                  (v128.const i8x16 0x3a 0x3f 0x3e 0x3f 0x3f 0x3f 0x3f 0x3f 0x3e 0x3e 0x3d 0x15 0x34 0x15 0x3d 0x1c)
                  (v128.and (local.get $octets) (i8x16.splat (i32.const 0x0f))))
                (i8x16.swizzle
                  (v128.const i8x16 0 0 0x01 0x02 0x04 0x08 0x10 0x20 0 0 0 0 0 0 0 0)
                  (v128.and (i16x8.shr_u (local.get $octets) (i32.const 4)) (i8x16.splat (i32.const 0x0f)))))
              (i8x16.splat (i32.const 0)))))
        (if (i32.eqz (local.get $others))
          (then
            (local.set $nameTo (i32.add (local.get $nameTo) (i32.const 16)))
            (br_if $name (i32.lt_u (local.get $nameTo) (local.get $end)))
            (return (i32.const -1)))))
      (local.set $nameTo (i32.add (local.get $nameTo) (i32.ctz (local.get $others))))
      (local.set $length (i32.sub (local.get $nameTo) (local.get $at)))
      (if (i32.or
            (i32.eqz (local.get $length))
            (i32.ne (i32.load8_u (local.get $nameTo)) (i32.const 0x3a)))
        (then (return (i32.const -1))))
      (local.set $valueFrom (i32.add (local.get $nameTo) (i32.const 1)))
      (if (i32.eq (i32.load8_u (local.get $valueFrom)) (i32.const 0x20))
        (then (local.set $valueFrom (i32.add (local.get $nameTo) (i32.const 2)))))

      ;; What field it is. $index says by length and first letter, in either case, which name to compare with; 0: there
      ;; is none. A name is sixteen octets in lower case, its kind and its length. To set one bit makes letters small
      ;; and leaves a dash as it is. 255: it may be any, and somebody has to look.
      (local.set $kind (i32.const 0))
      (local.set $known
        (i32.load8_u
          (i32.add (global.get $index)
            (i32.or
              (i32.shl (i32.and (local.get $length) (i32.const 31)) (i32.const 5))
              (i32.and (i32.load8_u (local.get $at)) (i32.const 31))))))
      (if (local.get $known)
        (then
          (local.set $known (i32.add (global.get $names) (i32.shl (local.get $known) (i32.const 5))))
          (local.set $kind (i32.load8_u offset=16 (local.get $known)))
          (if (i32.load8_u offset=17 (local.get $known))
            (then
              (local.set $others
                (i8x16.bitmask
                  (i8x16.ne
                    (v128.or (v128.load (local.get $at)) (i8x16.splat (i32.const 0x20)))
                    (v128.load (local.get $known)))))
              ;; the octets from the first that differs on are none of the name
              (if (i32.or
                    (i32.ne (i32.load8_u offset=17 (local.get $known)) (local.get $length))
                    (i32.lt_u (i32.ctz (local.get $others)) (local.get $length)))
                (then
                  (local.set $kind (i32.const 255))
                  (local.set $asks (i32.add (local.get $asks) (i32.const 1))))))
            (else
              ;; Either a name longer than sixteen, which has a kind, or one of the families x-sluice- and x-cf-, whose
              ;; third and fourth letter tell that it may be one of them.
              (local.set $others
                (i32.or (i32.load16_u offset=2 (local.get $at)) (i32.const 0x2020)))
              (if (i32.or
                    (local.get $kind)
                    (i32.or
                      (i32.eq (local.get $others) (i32.const 0x6c73))
                      (i32.eq (local.get $others) (i32.const 0x6663))))
                (then
                  (local.set $kind (i32.const 255))
                  (local.set $asks (i32.add (local.get $asks) (i32.const 1)))))))))
      (i32.store8 (i32.add (global.get $kinds) (local.get $count)) (local.get $kind))
      (i32.store8 (i32.add (global.get $notable) (local.get $notables)) (local.get $count))
      (local.set $notables (i32.add (local.get $notables) (i32.ne (local.get $kind) (i32.const 0))))

      (i32.store (local.get $out) (i32.sub (local.get $at) (local.get $base)))
      (i32.store offset=4 (local.get $out) (i32.sub (local.get $nameTo) (local.get $base)))
      (i32.store offset=8 (local.get $out) (i32.sub (local.get $valueFrom) (local.get $base)))
      ;; Where the line ends: the first octet that belongs in no value, a control other than HTAB, or DEL. From the
      ;; name on, though a name has fewer, because then neither search waits for what the other finds.
      (local.set $lineEnd (local.get $at))
      (loop $value
        (local.set $octets (v128.load (local.get $lineEnd)))
        (local.set $others
          (i8x16.bitmask
            (v128.or
              (v128.andnot
                (i8x16.le_u (local.get $octets) (i8x16.splat (i32.const 0x1f)))
                (i8x16.eq (local.get $octets) (i8x16.splat (i32.const 0x09))))
              (i8x16.eq (local.get $octets) (i8x16.splat (i32.const 0x7f))))))
        ;; Of a Cookie (17): two underscores, or `e.`, of which there is one in whatever `hasPlatformCookies` looks for. What
        ;; stands behind the value may be taken for it, and then somebody looks in vain.
        (if (i32.eq (local.get $kind) (i32.const 17))
          (then
            (local.set $suspects
              (v128.or
                (local.get $suspects)
                (v128.or
                  (v128.and
                    (i8x16.eq (local.get $octets) (i8x16.splat (i32.const 0x5f)))
                    (i8x16.eq (v128.load offset=1 (local.get $lineEnd)) (i8x16.splat (i32.const 0x5f))))
                  (v128.and
                    (i8x16.eq (local.get $octets) (i8x16.splat (i32.const 0x65)))
                    (i8x16.eq (v128.load offset=1 (local.get $lineEnd)) (i8x16.splat (i32.const 0x2e)))))))))
        (if (i32.eqz (local.get $others))
          (then
            (local.set $lineEnd (i32.add (local.get $lineEnd) (i32.const 16)))
            (br_if $value (i32.lt_u (local.get $lineEnd) (local.get $end)))
            (return (i32.const -1)))))
      (local.set $lineEnd (i32.add (local.get $lineEnd) (i32.ctz (local.get $others))))
      (if (i32.or
            (i32.ge_u (i32.add (local.get $lineEnd) (i32.const 1)) (local.get $end))
            (i32.ne (i32.load16_u (local.get $lineEnd)) (i32.const 0x0a0d)))
        (then (return (i32.const -1))))
      ;; No space around it, which is 0x20 or 0x09 and no more than that below 0x21.
      (if (i32.and
            (i32.gt_u (local.get $lineEnd) (local.get $valueFrom))
            (i32.or
              (i32.le_u (i32.load8_u (local.get $valueFrom)) (i32.const 0x20))
              (i32.le_u (i32.load8_u (i32.sub (local.get $lineEnd) (i32.const 1))) (i32.const 0x20))))
        (then (return (i32.const -1))))
      (i32.store offset=12 (local.get $out) (i32.sub (local.get $lineEnd) (local.get $base)))
      (local.set $at (i32.add (local.get $lineEnd) (i32.const 2)))
      (local.set $out (i32.add (local.get $out) (i32.const 16)))
      (local.set $count (i32.add (local.get $count) (i32.const 1)))
      (br $line))
    (unreachable)))
