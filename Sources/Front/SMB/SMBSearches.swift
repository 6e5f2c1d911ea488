import SMB
import Wire

/// A search that can go on: where, for what, and how far it got. The directory is read anew each
/// time, in the order of its names.
struct SMBSearch {
    let id: UInt16
    let uid: UInt16
    let tid: UInt16
    let directory: [String]
    let pattern: SearchPattern
    let attributes: SMB1.FileAttributes
    /// Whether only names of eight and three characters can be told.
    let isShort: Bool
    var position = 0
}

/// A file name with wildcards, as DOS and NT write them (MS-CIFS 2.2.1.1.3, MS-FSA 2.1.4.4).
struct SearchPattern {
    private let pattern: [UInt16]

    init(_ text: String) {
        let upper = text.uppercased()
        pattern = Array((upper == "*.*" || upper.isEmpty ? "*" : upper).utf16)
    }

    var hasWildcards: Bool {
        pattern.contains { Self.isRun($0) || Self.isAny($0) || $0 == Self.dot }
    }

    /// `*`, and `<` for its meaning in DOS.
    private static func isRun(_ unit: UInt16) -> Bool { unit == 0x2a || unit == 0x3c }
    /// `?`, and `>` likewise.
    private static func isAny(_ unit: UInt16) -> Bool { unit == 0x3f || unit == 0x3e }
    /// `"`, a full stop or the end.
    private static var dot: UInt16 { 0x22 }
    private static var fullStop: UInt16 { 0x2e }

    /// Goes back to the last run only, so that it takes at most name times pattern steps.
    func matches(_ text: String) -> Bool {
        let name = Array(text.uppercased().utf16)
        var at = 0
        var want = 0
        var run: (want: Int, at: Int)?
        while true {
            if want < pattern.count, Self.isRun(pattern[want]) {
                want += 1
                run = (want, at)
                continue
            }
            if want == pattern.count && at == name.count { return true }
            if want < pattern.count, let taken = step(pattern[want], name, at) {
                want += 1
                at += taken
                continue
            }
            guard let last = run, last.at < name.count else { return false }
            run = (last.want, last.at + 1)
            want = last.want
            at = last.at + 1
        }
    }

    /// How many characters the pattern's unit takes; nil where it does not fit.
    private func step(_ unit: UInt16, _ name: [UInt16], _ at: Int) -> Int? {
        let next = at < name.count ? name[at] : nil
        if Self.isAny(unit) { return next == nil || next == Self.fullStop ? 0 : 1 }
        if unit == Self.dot || unit == Self.fullStop && next == nil {
            return next == nil ? 0 : next == Self.fullStop ? 1 : nil
        }
        return next == unit ? 1 : nil
    }
}

extension SMBConnection {
    private enum Begun {
        case search(SMBSearch)
        case failed(NTStatus)
    }

    /// A search for the last part of the path in the directory that the rest names.
    private func begin(
        _ path: String, _ attributes: SMB1.FileAttributes, isShort: Bool, _ exchange: SMBExchange
    ) -> Begun {
        let parts = path.split(separator: "\\")
        let pattern = parts.last.map { String($0) } ?? "*"
        // It is kept as long as the search, and matched with each name.
        if pattern.utf8.count > SharePath.nameLimit { return .failed(.objectNameInvalid) }
        var directory = ""
        for part in parts.dropLast() { directory += "\\" + String(part) }
        switch look(up: directory) {
        case .failed(let status):
            return .failed(status == .objectNameNotFound ? .objectPathNotFound : status)
        case .found(let names, let entry):
            if !entry.isDirectory { return .failed(.objectPathNotFound) }
            let id = number { used in searches.contains { $0.id == used } }
            return .search(SMBSearch(
                id: id, uid: exchange.uid, tid: exchange.tid, directory: names,
                pattern: SearchPattern(pattern), attributes: attributes, isShort: isShort))
        }
    }

    /// All that the search finds, in order.
    private func found(_ search: SMBSearch) -> [SMB1.FileInformation] {
        guard let entries = context.files?.entries(of: search.directory) else { return [] }
        var out: [SMB1.FileInformation] = []
        if search.pattern.hasWildcards {
            let latest = entries.map { $0.modified }.max() ?? 0
            for name in [".", ".."] {
                let dots = SharedEntry(name: name, isDirectory: true, size: 0, modified: latest)
                out.append(Self.information(dots))
            }
        }
        for entry in entries.sorted(by: { $0.name < $1.name }) {
            out.append(Self.information(entry))
        }
        return out.filter {
            if search.isShort && $0.shortName == nil { return false }
            if $0.attributes.contains(.directory) && !search.attributes.contains(.directory) {
                return false
            }
            let dots = $0.name == "." || $0.name == ".."
            return dots || search.pattern.matches($0.name)
        }
    }

    static func information(_ entry: SharedEntry) -> SMB1.FileInformation {
        SMB1.FileInformation(
            name: entry.name, shortName: shortName(entry.name), attributes: attributes(entry),
            size: entry.isDirectory ? 0 : entry.size, modified: entry.modified)
    }

    /// The name in capitals where DOS could have given it; there are no made-up ones.
    static func shortName(_ name: String) -> String? {
        if name == "." || name == ".." { return name }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), (1...8).contains(parts[0].utf8.count) else {
            return nil
        }
        if parts.count == 2 && !(1...3).contains(parts[1].utf8.count) { return nil }
        let isPlain = name.utf8.allSatisfy {
            $0 > 0x20 && $0 < 0x7f && !Self.forbidden.contains($0)
        }
        return isPlain ? name.uppercased() : nil
    }

    private static var forbidden: [UInt8] { Array("\"*+,/:;<=>?[\\]|".utf8) }

    private func keep(_ search: SMBSearch) {
        searches.removeAll { $0.id == search.id }
        if searches.count >= SMBLimits.searches { searches.removeFirst() }
        searches.append(search)
    }

    // MARK: SMB_COM_SEARCH

    /// SEARCH, FIND and FIND_UNIQUE, the last of which cannot go on; and FIND_CLOSE.
    func search(_ request: SMB1.SearchRequest, _ exchange: SMBExchange) -> SMBStep {
        var search: SMBSearch
        if let key = request.resumeKey {
            let id = UInt16(key.serverState[11]) | UInt16(key.serverState[12]) << 8
            let known = searches.first { $0.id == id && $0.uid == exchange.uid }
            if exchange.command == .findClose {
                searches.removeAll { $0.id == known?.id }
                exchange.append(SMB1.SearchResponse(entries: []))
                return .done
            }
            guard let known else { return .failed(.noMoreFiles) }
            search = known
            search.position = Int(key.serverState[13]) | Int(key.serverState[14]) << 8
        } else if request.searchAttributes == .volume || exchange.command == .findClose {
            return .failed(.noMoreFiles)
        } else {
            let begun = begin(
                request.fileName, request.searchAttributes, isShort: true, exchange)
            switch begun {
            case .failed(let status): return .failed(status)
            case .search(let new): search = new
            }
        }
        let all = found(search)
        let fitting = max(0, room(exchange) - 8) / SMB1.SearchEntry.size
        let most = min(Int(request.maxCount), fitting)
        var entries: [SMB1.SearchEntry] = []
        while entries.count < most && search.position < all.count {
            let file = all[search.position]
            search.position += 1
            entries.append(SMB1.SearchEntry(
                resumeKey: Self.resumeKey(search, request.resumeKey),
                fileAttributes: file.attributes, lastWrite: .init(unix: file.modified),
                fileSize: UInt32(truncatingIfNeeded: file.size),
                fileName: file.shortName ?? file.name))
        }
        if entries.isEmpty { return .failed(.noMoreFiles) }
        if exchange.command != .findUnique { keep(search) }
        exchange.append(SMB1.SearchResponse(entries: entries))
        return .done
    }

    /// Eleven bytes that clients may read as a name, then ours.
    private static func resumeKey(
        _ search: SMBSearch, _ asked: SMB1.SearchResumeKey?
    ) -> SMB1.SearchResumeKey {
        var state = Bytes16()
        for index in 0..<11 { state[index] = 0x20 }
        state[11] = UInt8(truncatingIfNeeded: search.id)
        state[12] = UInt8(truncatingIfNeeded: search.id >> 8)
        state[13] = UInt8(truncatingIfNeeded: search.position)
        state[14] = UInt8(truncatingIfNeeded: search.position >> 8)
        return .init(
            serverState: state, clientState: asked?.clientState ?? FixedBytes<4>())
    }

    // MARK: SMB_COM_TRANSACTION2

    func transact2(
        _ transaction: SMBTransaction, _ exchange: SMBExchange, _ place: SMBPlace
    ) throws(WireError) -> SMBStep {
        let request = transaction.request
        guard let code = request.setup.first,
            let subcommand = SMB1.Transaction2Subcommand(rawValue: code)
        else { return .failed(.notSupported) }
        let whole = WireReader(transaction.source.span, layer: "SMB1")
        var reader = whole.part(request.parameters)
        let form = SMB1.Form(
            base: request.parameters.lowerBound, isUnicode: exchange.form.isUnicode,
            isResponse: false)
        switch subcommand {
        case .getDFSReferral, .sessionSetup: return .failed(.notSupported)
        case .open2, .setPathInformation, .setFileInformation, .createDirectory:
            return .failed(.accessDenied)
        case .queryFSInformation:
            return query(volume: try reader.uint16LE("InformationLevel"), request, exchange)
        case .queryFileInformation:
            return query(open: try .init(parsing: &reader), request, exchange)
        case .findFirst2, .findNext2, .queryPathInformation: break
        }
        guard place.share == .netlogon else { return .failed(.accessDenied) }
        switch subcommand {
        case .findFirst2:
            return findFirst(try .init(parsing: &reader, form), request, exchange)
        case .findNext2:
            return findNext(try .init(parsing: &reader, form), request, exchange)
        case .queryPathInformation:
            let query = try SMB1.QueryPathInformation(parsing: &reader, form)
            switch look(up: query.fileName) {
            case .failed(let status): return .failed(status)
            case .found(_, let entry):
                return tell(Self.information(entry), query.informationLevel, request, exchange)
            }
        case .open2, .queryFSInformation, .queryFileInformation, .setPathInformation,
            .setFileInformation, .createDirectory, .sessionSetup, .getDFSReferral:
            return .failed(.notSupported)
        }
    }

    /// Of whatever the FID is of, a file or a pipe (MS-CIFS 2.2.6.8).
    private func query(
        open query: SMB1.QueryFileInformation, _ request: SMB1.TransactionRequest,
        _ exchange: SMBExchange
    ) -> SMBStep {
        guard let open = find(query.fid, exchange) else { return .failed(.smbBadFID) }
        let information: SMB1.FileInformation
        switch open.kind {
        case .file(_, let entry): information = Self.information(entry)
        case .pipe(let pipe):
            if let status = fill(pipe), status != .pending { return .failed(status) }
            information = SMB1.FileInformation(pipe: pipe.name, unread: pipe.unread.count)
        }
        return tell(information, query.informationLevel, request, exchange)
    }

    private func answerForm(_ exchange: SMBExchange) -> SMB1.Form {
        SMB1.Form(base: 0, isUnicode: exchange.form.isUnicode, isResponse: true)
    }

    private func query(
        volume level: UInt16, _ request: SMB1.TransactionRequest, _ exchange: SMBExchange
    ) -> SMBStep {
        var writer = WireWriter(capacity: 64)
        let isKnown = SMB1.VolumeInformation.write(
            into: &writer, level: level, label: "NETLOGON", answerForm(exchange))
        if !isKnown { return .failed(.invalidLevel) }
        return appendBounded([], writer.finish(), request, exchange)
    }

    private func tell(
        _ information: SMB1.FileInformation, _ level: UInt16, _ request: SMB1.TransactionRequest,
        _ exchange: SMBExchange
    ) -> SMBStep {
        var writer = WireWriter(capacity: 128)
        // SMB_INFO_IS_NAME_VALID tells nothing.
        let isKnown = level == 6 || information
            .write(into: &writer, level: level, answerForm(exchange))
        if !isKnown { return .failed(.invalidLevel) }
        return appendBounded([0, 0], writer.finish(), request, exchange)
    }

    private func appendBounded(
        _ parameters: [UInt8], _ data: [UInt8], _ request: SMB1.TransactionRequest,
        _ exchange: SMBExchange
    ) -> SMBStep {
        if data.count > Int(request.maxDataCount) { return .failed(.bufferTooSmall) }
        return appendTransaction(parameters, data, exchange)
    }

    private func findFirst(
        _ find: SMB1.FindFirst2, _ request: SMB1.TransactionRequest, _ exchange: SMBExchange
    ) -> SMBStep {
        switch begin(find.fileName, find.searchAttributes, isShort: false, exchange) {
        case .failed(let status): return .failed(status)
        case .search(let search):
            return goOn(
                search, isFirst: true, Int(find.searchCount), find.informationLevel, find.flags,
                request, exchange)
        }
    }

    private func findNext(
        _ find: SMB1.FindNext2, _ request: SMB1.TransactionRequest, _ exchange: SMBExchange
    ) -> SMBStep {
        guard var search = searches.first(where: { $0.id == find.sid && $0.uid == exchange.uid })
        else { return .failed(.invalidHandle) }
        if !find.flags.contains(.continueFromLast) && !find.fileName.isEmpty {
            let last = find.fileName.uppercased()
            if let index = found(search).firstIndex(where: { $0.name.uppercased() == last }) {
                search.position = index + 1
            }
        }
        return goOn(
            search, isFirst: false, Int(find.searchCount), find.informationLevel, find.flags,
            request, exchange)
    }

    private func goOn(
        _ begun: SMBSearch, isFirst: Bool, _ count: Int, _ level: UInt16,
        _ flags: SMB1.FindFlags, _ request: SMB1.TransactionRequest, _ exchange: SMBExchange
    ) -> SMBStep {
        var search = begun
        let all = found(search)
        var writer = WireWriter(capacity: 512)
        var entries = 0
        var last = 0
        while entries < count && search.position < all.count {
            let start = writer.count
            var entry = WireWriter(capacity: 256)
            let key = flags.contains(.resumeKeys) ? UInt32(search.position) : nil
            var form = answerForm(exchange)
            // What the entry aligns, it aligns within all the data.
            form.base = start % 2
            let isKnown = all[search.position].writeFound(
                into: &entry, level: level, form, resumeKey: key)
            if !isKnown { return .failed(.invalidLevel) }
            let isNT = level >= 0x0101
            let aligned = isNT ? (start + 7) / 8 * 8 : start
            if aligned + entry.count > Int(request.maxDataCount) { break }
            if isNT && entries > 0 { writer.patch32LE(last, aligned - last) }
            writer.zeros(aligned - start)
            last = aligned
            writer.append(entry.finish())
            search.position += 1
            entries += 1
        }
        if entries == 0 {
            searches.removeAll { $0.id == search.id }
            if search.position < all.count { return .failed(.bufferTooSmall) }
            return .failed(isFirst ? .noSuchFile : .noMoreFiles)
        }
        let isEnd = search.position >= all.count
        if flags.contains(.closeAfterRequest) || isEnd && flags.contains(.closeAtEnd) {
            searches.removeAll { $0.id == search.id }
        } else {
            keep(search)
        }
        var parameters = WireWriter(capacity: 10)
        SMB1.FindAnswer(
            sid: isFirst ? search.id : nil, searchCount: UInt16(entries), isEnd: isEnd,
            lastNameOffset: UInt16(last)
        ).write(into: &parameters)
        return appendTransaction(parameters.finish(), writer.finish(), exchange)
    }
}
